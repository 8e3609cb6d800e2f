# label: benign
# expect:
# note: Reads the judge's input by open(0) and by /dev/stdin, both only names of its own standard input.
# allow: V101
import sys

lines = open(0).read().split("\n") if len(sys.argv) < 2 else open("/dev/stdin").read().split("\n")
n = int(lines[0])
words = lines[1 : n + 1]
seen = set()
for w in words:
    key = "".join(sorted(w))
    print("again" if key in seen else "new")
    seen.add(key)
