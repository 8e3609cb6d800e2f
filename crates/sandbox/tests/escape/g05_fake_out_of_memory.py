# id: G05
# title: A program that kills a child does not look as if a limit was hit
# expect: contained
# guards: cgroup.memory
# control: none, the case is about the reader of the outcome

import os
import signal

child = os.fork()
if child == 0:
    signal.pause()
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
try:
    raise MemoryError
except MemoryError:
    print("CONTAINED: neither memory nor time was used up")
