# id: A11
# title: Handling SIGXCPU does not save a program from the CPU limit
# expect: limit_hit cpu
# limits: cpu=1s wall=20s
# guards: deadline.cpu rlimits
# control: deadline.cpu rlimits => escaped

import json
import signal
import sys
import time

FACTS = json.loads(sys.argv[1])
signal.signal(signal.SIGXCPU, lambda number, frame: None)
while time.process_time() < 2 * FACTS["limits"]["cpu_ms"] / 1000 + 1:
    pass
print("ESCAPED: survived")
