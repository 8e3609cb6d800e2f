# id: A09
# title: Output through copies of the descriptor is bounded like any other
# expect: limit_hit output
# limits: output=64K wall=10s
# guards: output.bound
# control: output.bound => escaped

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
copy = os.dup(1)
os.close(1)
for _ in range(4 * FACTS["limits"]["output"] // 1024):
    os.write(copy, b"x" * 1023 + b"\n")
os.write(copy, b"ESCAPED: survived\n")
os._exit(0)
