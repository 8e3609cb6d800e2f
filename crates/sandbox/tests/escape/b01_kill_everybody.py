# id: B01
# title: A signal to every process reaches only the cell's own
# expect: contained
# guards: namespace.pid identity landlock
# control: none, without it the signal would go to every process of the machine that the identity leaves in reach

import os
import signal

child = os.fork()
if child == 0:
    signal.pause()
try:
    os.kill(-1, signal.SIGKILL)
    answer = "success"
except OSError as refusal:
    answer = refusal.strerror
os.waitpid(child, 0)
# That nobody else was hit is seen from outside: the supervisor and the neighbour live.
print(f"CONTAINED: kill(-1) answered {answer}")
