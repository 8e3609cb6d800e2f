# id: B01
# title: Signals to process groups reach only the cell's own
# expect: contained
# guards: namespace.pid
# control: none, that others are alive is seen from outside

import errno
import os
import signal

answers = []
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for name, attempt in {
    "kill(0)": lambda: os.kill(0, signal.SIGTERM),
    "killpg(1)": lambda: os.killpg(1, signal.SIGKILL),
    "killpg(0)": lambda: os.killpg(0, signal.SIGTERM),
    "killpg(parent)": lambda: os.getpgid(os.getppid()) not in (0, os.getpgrp()) and os.killpg(os.getpgid(os.getppid()), signal.SIGKILL),
}.items():
    try:
        attempt()
        answers.append(f"{name} success")
    except OSError as refusal:
        answers.append(f"{name} {errno.errorcode[refusal.errno]}")
print("CONTAINED: " + ", ".join(answers))
