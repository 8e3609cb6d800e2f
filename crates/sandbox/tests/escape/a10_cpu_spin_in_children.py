# id: A10
# title: Children that each stay below the CPU limit are counted together
# expect: limit_hit cpu
# limits: cpu=1s wall=20s pids=32
# guards: deadline.cpu
# control: deadline.cpu => escaped

import json
import os
import sys
import time

FACTS = json.loads(sys.argv[1])
SHARE = FACTS["limits"]["cpu_ms"] / 1000 * 0.6

# One after another, so that the case needs one processor only.
for _ in range(5):
    child = os.fork()
    if child == 0:
        while time.process_time() < SHARE:
            pass
        os._exit(0)
    os.waitpid(child, 0)
print("ESCAPED: survived")
