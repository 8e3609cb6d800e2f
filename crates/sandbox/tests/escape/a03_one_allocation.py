# id: A03
# title: One large allocation ends the program at the memory limit
# expect: limit_hit memory
# limits: memory=64M wall=10s
# guards: cgroup.memory
# control: cgroup.memory => escaped

import json
import sys

FACTS = json.loads(sys.argv[1])
try:
    block = b"\x01" * (2 * FACTS["limits"]["memory"])
    print("ESCAPED: survived")
except MemoryError:
    print("CONTAINED: MemoryError")
