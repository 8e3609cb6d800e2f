# label: benign
# expect: V903
# note: A disk benchmark that writes eight gibibytes on purpose and removes the file again.
import os
import time

BLOCK = os.urandom(4 << 20)
COUNT = 2048  # 8 GiB

start = time.perf_counter()
with open("bench.tmp", "wb", buffering=0) as f:
    for _ in range(COUNT):
        f.write(BLOCK)
    os.fsync(f.fileno())
took = time.perf_counter() - start
os.remove("bench.tmp")
print(f"{COUNT * len(BLOCK) / took / 1e6:.0f} MB/s")
