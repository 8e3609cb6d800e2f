# id: B02
# title: PTRACE_TRACEME is refused
# expect: contained
# guards: seccomp
# control: seccomp => escaped

import ctypes
import errno
import os

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


PTRACE, TRACEME = 101, 0

# The child ends before its tracer, so nobody is left stopped.
child = os.fork()
if child == 0:
    result, answer = syscall(PTRACE, TRACEME, 0, 0, 0)
    os._exit(0 if result == 0 else 1)
_, status = os.waitpid(child, 0)
print("ESCAPED: a child is traced" if status == 0 else "CONTAINED: ptrace was refused")
