import sys
print("before", flush=True)
sys.stderr.write("no newline")
prnit("x")
