# id: A03
# title: Children that are each below the memory limit are limited together
# expect: limit_hit memory
# limits: memory=64M pids=32 wall=10s
# guards: cgroup.memory
# control: cgroup.memory => escaped

import json
import os
import signal
import sys
import time

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
# Without a limit nobody dies in this time; with one, this process does.
time.sleep(0.5)
held = SHARE * sum(os.waitpid(child, os.WNOHANG) == (0, 0) for child in children)
for child in children:
    os.kill(child, signal.SIGKILL)
print("ESCAPED: survived" if held > FACTS["limits"]["memory"] else f"CONTAINED: only {held} bytes could be held")
