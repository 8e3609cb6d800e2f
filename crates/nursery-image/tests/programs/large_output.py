import sys
for n in range(20000): print("line", n)
sys.stderr.write("e" * 100000)
