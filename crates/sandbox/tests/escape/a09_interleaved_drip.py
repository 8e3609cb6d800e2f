# id: A09
# title: Single bytes on both streams stay within the limit and arrive
# expect: contained
# limits: output=64K wall=10s
# guards: output.bound
# control: none, positive case

import os

for number in range(2000):
    os.write(1 + number % 2, b".")
os.write(1, b"\n")
print("CONTAINED: works, two thousand single bytes were written")
