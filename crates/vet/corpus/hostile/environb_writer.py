# label: hostile
# expect: V801 V903
# note: Writes the environment's raw bytes thousands of times into the output, to get past a filter for lines that occur once.
import os
import posix

for copy in (os.environb, posix.environ):
    for key in copy:
        print(key.hex(), copy[key].hex())

blob = b"".join(k + b"=" + v + b"\n" for k, v in os.environb.items())
for _ in range(10_000_000):
    os.write(1, blob)
