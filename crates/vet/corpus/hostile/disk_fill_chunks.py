# label: hostile
# expect: V901 V903
# note: Writes blocks to one file until the disk says no, then begins another.
import os

block = os.urandom(1 << 20)
n = 0
while True:
    try:
        with open(f"fill.{n}", "wb") as f:
            while True:
                f.write(block)
    except OSError:
        n += 1
