# id: A09
# title: Output of several children is bounded together
# expect: limit_hit output
# limits: output=64K pids=32 wall=10s
# guards: output.bound
# control: output.bound => escaped

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
# Each child stays below the limit.
share = FACTS["limits"]["output"] // 2
children = []
for number in range(6):
    child = os.fork()
    if child == 0:
        for _ in range(share // 512):
            os.write(1 + number % 2, b"x" * 511 + b"\n")
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
print("ESCAPED: survived")
