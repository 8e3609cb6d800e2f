# label: benign
# expect:
# note: Fast input by os.read on descriptor zero and output by os.write; raw descriptors of its own streams.
import os
from io import BytesIO

data = b""
while chunk := os.read(0, 1 << 16):
    data += chunk
inp = BytesIO(data)

n = int(inp.readline())
a = sorted(map(int, inp.readline().split()))
best = 0
for i, x in enumerate(a):
    best = max(best, x * (n - i))
os.write(1, b"%d\n" % best)
