# id: A04
# title: Bytes waiting in pipes are charged to the cell
# expect: limit_hit memory
# limits: memory=40M wall=10s open_files=256
# guards: cgroup.memory
# control: cgroup.memory => escaped

import fcntl
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["memory"]
F_SETPIPE_SZ = 1031

# An ordinary user may hold 64 MiB in large pipes; after that the kernel makes small ones.
held = 0
stop = "the pipes became small"
try:
    for _ in range(100):
        reader, writer = os.pipe()
        size = fcntl.fcntl(writer, F_SETPIPE_SZ, 1 << 20)
        os.set_blocking(writer, False)
        held += os.write(writer, b"\x01" * size)
except OSError as refusal:
    stop = refusal.strerror
print("ESCAPED: survived" if held > LIMIT else f"CONTAINED: {stop} at {held} bytes")
