# id: A01
# title: Orphans count against the limit though their parents are gone
# expect: contained
# limits: pids=24 wall=10s
# guards: cgroup.pids rlimits
# control: cgroup.pids rlimits => escaped

import json
import os
import sys
import time

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["pids"]

# Each orphan holds the writing end of a pipe, so that its life can be seen from here.
alive = 0
stop = "nothing"
while alive < LIMIT + 50:
    reader, writer = os.pipe()
    try:
        middle = os.fork()
    except OSError as refusal:
        stop = f"fork answered {refusal.strerror} at {alive} orphans"
        break
    if middle == 0:
        try:
            if os.fork() == 0:
                os.write(writer, b"x")
                time.sleep(5)
        finally:
            os._exit(0)
    os.waitpid(middle, 0)
    os.close(writer)
    if os.read(reader, 1) == b"":
        stop = f"the second fork was refused at {alive} orphans"
        break
    os.close(reader)
    alive += 1
print(f"ESCAPED: {alive} orphans lived at once" if alive >= LIMIT else f"CONTAINED: {stop}")
