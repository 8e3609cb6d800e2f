# id: A02
# title: Tasks made by the clone system call itself count against the process limit
# expect: contained
# limits: pids=32 wall=10s
# guards: cgroup.pids rlimits
# control: cgroup.pids rlimits => escaped

import ctypes
import errno
import json
import os
import signal
import sys

FACTS = json.loads(sys.argv[1])

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


LIMIT = FACTS["limits"]["pids"]
CLONE = 56

children = []
answer = "nothing"
while len(children) < LIMIT + 200:
    child, answer = syscall(CLONE, int(signal.SIGCHLD), 0, 0, 0, 0)
    if child == 0:
        signal.pause()
    if child < 0:
        break
    children.append(child)
for child in children:
    os.kill(child, signal.SIGKILL)
print(f"ESCAPED: {len(children)} tasks lived at once" if len(children) >= LIMIT else f"CONTAINED: clone answered {answer}")
