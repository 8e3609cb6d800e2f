# id: A10
# title: A program that waits in an open call ends at the wall limit
# expect: limit_hit wall
# limits: wall=1s
# guards: deadline.wall
# control: deadline.wall => escaped

import json
import os
import signal
import sys

FACTS = json.loads(sys.argv[1])


def wake(number, frame):
    raise InterruptedError


name = f"fifo-{os.getpid()}"
os.mkfifo(name)
signal.signal(signal.SIGALRM, wake)
signal.setitimer(signal.ITIMER_REAL, FACTS["limits"]["wall_ms"] / 1000 * 2 + 1)
try:
    open(name)
except InterruptedError:
    os.unlink(name)
    print("ESCAPED: survived")
