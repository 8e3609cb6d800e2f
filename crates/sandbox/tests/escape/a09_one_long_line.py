# id: A09
# title: A line without an end is bounded like any other output
# expect: limit_hit output
# limits: output=64K wall=10s
# guards: output.bound
# control: output.bound => escaped

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
for _ in range(4 * FACTS["limits"]["output"] // 4096):
    os.write(1, b"x" * 4096)
print("\nESCAPED: survived")
