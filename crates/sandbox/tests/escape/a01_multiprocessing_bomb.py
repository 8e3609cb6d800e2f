# id: A01
# title: multiprocessing cannot hold more processes than the limit allows
# expect: contained
# limits: pids=24 wall=10s
# guards: cgroup.pids rlimits
# control: cgroup.pids rlimits => escaped

import json
import multiprocessing
import sys
import time

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["pids"]

context = multiprocessing.get_context("fork")
children = []
try:
    while len(children) < LIMIT + 20:
        child = context.Process(target=time.sleep, args=(60,))
        child.start()
        children.append(child)
    stop = "nothing"
except OSError as refusal:
    stop = f"Process.start answered {refusal.strerror} at {len(children)} children"
for child in children:
    child.kill()
print(f"ESCAPED: {len(children)} children lived at once" if len(children) >= LIMIT else f"CONTAINED: {stop}")
