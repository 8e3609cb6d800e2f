# id: C03
# title: A child made by clone as a sibling stays in the cell
# expect: contained
# guards: cgroup.pids namespace.pid
# control: none, the sibling has the same chains

import ctypes
import errno
import os
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


CLONE, CLONE_PARENT, SIGCHLD = 56, 0x8000, 17

child, answer = syscall(CLONE, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0)
if child == 0:
    # Adopted by pid 1: it would speak after the verdict if it lived on.
    time.sleep(2)
    print("ESCAPED: the sibling outlived the program", flush=True)
    os._exit(0)
print(f"CONTAINED: clone(CLONE_PARENT) answered {answer}, the sibling ends with the cell", flush=True)
