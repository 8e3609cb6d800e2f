# id: B09
# title: A sweep of signals over many process numbers reaches nobody outside the cell
# expect: contained
# guards: namespace.pid landlock identity
# control: namespace.pid => held landlock
# control: namespace.pid landlock => held identity
# control: namespace.pid landlock identity => escaped

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
mine = {os.getpid(), os.getppid(), 1}
reached = []
for pid in range(max(1, FACTS["host_pid"] - 20_000), FACTS["host_pid"] + 2_000):
    try:
        os.kill(pid, 0)
    except OSError:
        continue
    if pid not in mine:
        reached.append(pid)
print(f"ESCAPED: processes {reached[:5]} took signal 0" if reached else "CONTAINED: ESRCH or EPERM for every number")
