# id: A01
# title: Forking cannot hold more processes than the limit allows
# expect: contained
# limits: pids=32 wall=10s
# guards: cgroup.pids rlimits
# works: RLIMIT_NPROC is the second layer, where the cell has a user id of its own; it stands one above the first
# control: cgroup.pids => held rlimits
# control: cgroup.pids rlimits => escaped

import json
import os
import signal
import sys

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["pids"]

children = []
try:
    while len(children) < LIMIT + 200:
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
    stop = "nothing"
except OSError as refusal:
    stop = f"fork answered {refusal.strerror} at {len(children)} children"
for child in children:
    os.kill(child, signal.SIGKILL)
print(f"ESCAPED: {len(children)} children lived at once" if len(children) > LIMIT else f"CONTAINED: {stop}")
