# id: H02
# title: fork, wait and process groups work
# expect: contained
# limits: pids=64
# guards: seccomp
# control: none, positive case

import os
import signal

child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    os._exit(5)
_, status, usage = os.wait4(child, 0)
assert os.WEXITSTATUS(status) == 5 and usage.ru_maxrss > 0
other = os.fork()
if other == 0:
    signal.pause()
os.kill(other, signal.SIGTERM)
assert os.WTERMSIG(os.waitpid(other, 0)[1]) == signal.SIGTERM
print("CONTAINED: works, exit code, signal and usage")
