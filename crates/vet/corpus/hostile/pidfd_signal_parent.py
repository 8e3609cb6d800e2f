# label: hostile
# expect: V202
# note: Signals its parent by pidfd and its group by killpg, because only os.kill is watched.
import os
import signal

fd = os.pidfd_open(os.getppid())
for s in (signal.SIGUSR1, signal.SIGCONT, signal.SIGKILL):
    signal.pidfd_send_signal(fd, s)
os.killpg(os.getpgid(os.getppid()), signal.SIGKILL)
