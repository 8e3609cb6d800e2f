# id: A04
# title: Memory in a memfd is charged to the cell
# expect: limit_hit memory
# limits: memory=64M wall=10s
# guards: cgroup.memory
# control: cgroup.memory => escaped

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
size = 2 * FACTS["limits"]["memory"]
written = 0
try:
    # Many small ones, as RLIMIT_FSIZE bounds each.
    while written < size:
        file = os.memfd_create("bomb")
        written += os.write(file, b"\x01" * (4 << 20))
    print("ESCAPED: survived")
except OSError as refusal:
    print(f"CONTAINED: {refusal.strerror} at {written} bytes")
