# id: A12
# title: Children that nobody waits for count against the process limit
# expect: contained
# limits: pids=32 wall=10s
# guards: cgroup.pids rlimits
# control: cgroup.pids rlimits => escaped

import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["pids"]

count = 0
stop = "nothing"
try:
    while count < LIMIT + 100:
        if os.fork() == 0:
            os._exit(0)
        count += 1
except OSError as refusal:
    stop = errno.errorcode[refusal.errno]
print(f"ESCAPED: {count} zombies" if count >= LIMIT else f"CONTAINED: {stop} at {count} zombies")
