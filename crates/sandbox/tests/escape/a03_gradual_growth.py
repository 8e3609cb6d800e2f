# id: A03
# title: Growing by small steps ends the program at the memory limit
# expect: limit_hit memory
# limits: memory=64M wall=10s
# guards: cgroup.memory
# control: cgroup.memory => escaped

import json
import sys

FACTS = json.loads(sys.argv[1])
blocks = []
try:
    while len(blocks) < 2 * FACTS["limits"]["memory"] >> 18:
        blocks.append(b"\x01" * (1 << 18))
    print("ESCAPED: survived")
except MemoryError:
    print("CONTAINED: MemoryError")
