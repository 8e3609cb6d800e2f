import sys
print("x")
sys.exit("a sentence")
