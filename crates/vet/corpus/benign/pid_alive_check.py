# label: benign
# expect: V202
# note: Asks with signal zero whether a pid of a lock file still lives; os.kill that kills nobody.
import os
import sys

LOCK = "job.lock"


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if os.path.exists(LOCK):
    other = int(open(LOCK).read())
    if alive(other):
        sys.exit(f"already running as {other}")
with open(LOCK, "w") as f:
    f.write(str(os.getpid()))
print("got the lock")
