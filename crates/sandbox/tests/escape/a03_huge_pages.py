# id: A03
# title: Transparent huge pages are charged to the cell
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
    area = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    area.madvise(mmap.MADV_HUGEPAGE if hasattr(mmap, "MADV_HUGEPAGE") else 14)
    for offset in range(0, size, mmap.PAGESIZE):
        area[offset] = 1
    print("ESCAPED: survived")
except (MemoryError, OSError) as refusal:
    print(f"CONTAINED: {refusal}")
