# id: A02
# title: Threads count against the process limit
# expect: contained
# limits: pids=32 wall=10s
# guards: cgroup.pids rlimits
# control: cgroup.pids rlimits => escaped

import json
import os
import sys
import threading

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["pids"]

threading.stack_size(64 * 1024)
hold = threading.Event()
count = 0
try:
    while count < LIMIT + 200:
        threading.Thread(target=hold.wait, daemon=True).start()
        count += 1
    stop = "nothing"
except RuntimeError as refusal:
    stop = f"{refusal} at {count} threads"
print(f"ESCAPED: {count} threads lived at once" if count >= LIMIT else f"CONTAINED: {stop}", flush=True)
os._exit(0)
