# id: A15
# title: A storm of signals between the cell's own processes disturbs nobody else
# expect: contained
# limits: wall=10s cpu=8s
# guards: namespace.pid
# control: none, the case is about what the storm costs others

import os
import signal

child = os.fork()
if child == 0:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        signal.pause()
for _ in range(50_000):
    os.kill(child, signal.SIGUSR1)
    os.kill(child, 0)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
print("CONTAINED: the storm is over")
