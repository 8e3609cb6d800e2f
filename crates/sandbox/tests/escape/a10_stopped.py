# id: A10
# title: A program that stops itself ends at the wall limit
# expect: limit_hit wall
# limits: wall=1s
# guards: deadline.wall
# control: deadline.wall => escaped

import json
import os
import signal
import sys
import time

FACTS = json.loads(sys.argv[1])
main = os.getpid()
if os.fork() == 0:
    time.sleep(FACTS["limits"]["wall_ms"] / 1000 * 2 + 1)
    os.kill(main, signal.SIGCONT)
    os._exit(0)
os.kill(main, signal.SIGSTOP)
print("ESCAPED: survived")
