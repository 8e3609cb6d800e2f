# id: A03
# title: Children that are each below the memory limit are limited together
# expect: limit_hit memory
# limits: memory=64MiB pids=32 wall=10s
# guards: cgroup.memory
# control: cgroup.memory => escaped

import json
import os
import signal
import sys

FACTS = json.loads(sys.argv[1])
SHARE = FACTS["limits"]["memory"] // 4

children = []
for _ in range(8):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        block = b"\x01" * SHARE
        os.write(writer, b"x")
        signal.pause()
    os.close(writer)
    if os.read(reader, 1) == b"x":
        children.append(child)
for child in children:
    os.kill(child, signal.SIGKILL)
held = len(children) * SHARE
print("ESCAPED: survived" if held > FACTS["limits"]["memory"] else f"CONTAINED: only {held} bytes could be held")
