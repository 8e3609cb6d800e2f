# id: A11
# title: Ignoring every signal does not save a program from the wall limit
# expect: limit_hit wall
# limits: wall=1s
# guards: deadline.wall
# control: deadline.wall => escaped

import json
import signal
import sys
import time

FACTS = json.loads(sys.argv[1])
for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
end = time.monotonic() + FACTS["limits"]["wall_ms"] / 1000 * 2 + 1
while time.monotonic() < end:
    time.sleep(0.05)
print("ESCAPED: survived")
