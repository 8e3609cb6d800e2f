# label: hostile
# expect: V204 V901
# note: Makes orphans and zombies without end: each child forks a grandchild and leaves, and nobody waits.
# allow: V203
import os
import time

made = 0
while True:
    try:
        pid = os.fork()
    except BlockingIOError:
        time.sleep(0.01)
        continue
    if pid == 0:
        if os.fork() == 0:
            time.sleep(3600)
        os._exit(0)
    made += 1
