# id: A12
# title: The first process of the cell reaps what others leave behind
# expect: contained
# limits: pids=16 wall=20s
# guards: namespace.pid
# control: none, positive case

import os
import time

def fork_patiently():
    for _ in range(200):
        try:
            return os.fork()
        except BlockingIOError:
            time.sleep(0.01)
    print("ESCAPED: orphans were not reaped, no process can be made any more", flush=True)
    os._exit(0)


for _ in range(200):
    middle = fork_patiently()
    if middle == 0:
        try:
            os.fork()
        finally:
            os._exit(0)
    os.waitpid(middle, 0)
print("CONTAINED: works, two hundred orphans were reaped")
