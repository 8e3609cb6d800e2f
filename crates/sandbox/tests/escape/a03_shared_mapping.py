# id: A03
# title: Shared anonymous memory is charged to the cell
# expect: limit_hit memory
# limits: memory=64M wall=10s
# guards: cgroup.memory
# control: cgroup.memory => escaped

import json
import mmap
import sys

FACTS = json.loads(sys.argv[1])
size = 2 * FACTS["limits"]["memory"]
try:
    area = mmap.mmap(-1, size, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    for offset in range(0, size, mmap.PAGESIZE):
        area[offset] = 1
    print("ESCAPED: survived")
except (MemoryError, OSError) as refusal:
    print(f"CONTAINED: {refusal}")
