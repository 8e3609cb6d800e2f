# id: A01
# title: Starting interpreters cannot hold more processes than the limit allows
# expect: contained
# limits: pids=12 wall=20s
# guards: cgroup.pids rlimits
# control: cgroup.pids rlimits => escaped

import json
import subprocess
import sys

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["pids"]

children = []
try:
    while len(children) < LIMIT + 4:
        command = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"]
        children.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
    stop = "nothing"
except OSError as refusal:
    stop = f"Popen answered {refusal.strerror} at {len(children)} children"
for child in children:
    child.kill()
print(f"ESCAPED: {len(children)} children lived at once" if len(children) >= LIMIT else f"CONTAINED: {stop}")
