# id: A10
# title: Threads outside the interpreter lock are counted together
# expect: limit_hit cpu
# limits: cpu=1s wall=20s pids=32
# guards: deadline.cpu rlimits
# control: deadline.cpu rlimits => escaped

import hashlib
import json
import sys
import threading
import time

FACTS = json.loads(sys.argv[1])
BUDGET = 2 * FACTS["limits"]["cpu_ms"] / 1000 + 1


def spin():
    block = bytes(4 << 20)
    while time.process_time() < BUDGET:
        hashlib.sha256(block).digest()


threads = [threading.Thread(target=spin) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("ESCAPED: survived")
