# id: A09
# title: Flooding stderr ends the program
# expect: limit_hit output
# limits: output=64K wall=10s
# guards: output.bound
# control: output.bound => escaped

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
line = b"x" * 1023 + b"\n"
for _ in range(4 * FACTS["limits"]["output"] // len(line)):
    os.write(2, line)
print("ESCAPED: survived")
