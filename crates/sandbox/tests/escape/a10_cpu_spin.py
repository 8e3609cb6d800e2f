# id: A10
# title: Spinning ends the program at the CPU limit
# expect: limit_hit cpu
# limits: cpu=1s wall=20s
# guards: deadline.cpu rlimits
# control: deadline.cpu rlimits => escaped

import json
import sys
import time

FACTS = json.loads(sys.argv[1])
while time.process_time() < 2 * FACTS["limits"]["cpu_ms"] / 1000 + 1:
    pass
print("ESCAPED: survived")
