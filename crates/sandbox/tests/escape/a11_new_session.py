# id: A11
# title: A new session and process group do not evade the wall limit
# expect: limit_hit wall
# limits: wall=1s
# guards: deadline.wall
# control: deadline.wall => escaped

import json
import os
import sys
import time

FACTS = json.loads(sys.argv[1])
child = os.fork()
if child == 0:
    os.setsid()
    time.sleep(FACTS["limits"]["wall_ms"] / 1000 * 2 + 1)
    os._exit(0)
os.waitpid(child, 0)
print("ESCAPED: survived")
