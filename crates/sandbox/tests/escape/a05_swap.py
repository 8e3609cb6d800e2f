# id: A05
# title: Pushing pages into swap does not make room for more
# expect: limit_hit memory
# limits: memory=64M wall=10s
# guards: cgroup.memory
# control: cgroup.memory => escaped

import json
import mmap
import sys

FACTS = json.loads(sys.argv[1])
MADV_PAGEOUT = 21
step = 4 << 20
areas = []
try:
    for _ in range(2 * FACTS["limits"]["memory"] // step):
        area = mmap.mmap(-1, step, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for offset in range(0, step, mmap.PAGESIZE):
            area[offset] = 1
        area.madvise(MADV_PAGEOUT)
        areas.append(area)
    print("ESCAPED: survived")
except (MemoryError, OSError) as refusal:
    print(f"CONTAINED: {refusal}")
