# id: A10
# title: Sleeping ends the program at the wall limit
# expect: limit_hit wall
# limits: wall=1s
# guards: deadline.wall
# control: deadline.wall => escaped

import json
import sys
import time

FACTS = json.loads(sys.argv[1])
time.sleep(FACTS["limits"]["wall_ms"] / 1000 * 2 + 1)
print("ESCAPED: survived")
