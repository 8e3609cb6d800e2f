# label: benign
# expect: V901
# note: Waits for a marker file without limit; the condition is an unbounded wait though not a while True.
import os
import time

while not os.path.exists("READY"):
    time.sleep(0.5)

with open("READY") as f:
    print("started by", f.read().strip() or "nobody")

# and now the work
while 1:
    jobs = [n for n in os.listdir(".") if n.endswith(".job")]
    for n in jobs:
        print("doing", n)
        os.rename(n, n + ".done")
    time.sleep(2)
