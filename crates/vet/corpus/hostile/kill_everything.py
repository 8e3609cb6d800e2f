# label: hostile
# expect: V202
# note: Sends SIGKILL to everything it may, then to the supervisor that it supposes above it.
import os
import signal

for sig in (signal.SIGSTOP, signal.SIGKILL):
    for target in (-1, 1, os.getppid(), 0):
        try:
            os.kill(target, sig)
        except (PermissionError, ProcessLookupError) as e:
            print(target, e)
