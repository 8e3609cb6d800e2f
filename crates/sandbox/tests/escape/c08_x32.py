# id: C08
# title: A number of the x32 interface ends the process
# expect: contained
# guards: seccomp
# control: seccomp => escaped
# works: without the filter a kernel without x32 answers ENOSYS, which counts as let through

import ctypes
import errno
import os
import signal

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


X32_GETPID = 0x40000000 | 39

child = os.fork()
if child == 0:
    syscall(X32_GETPID)
    os._exit(0)
_, status = os.waitpid(child, 0)
if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS:
    print("CONTAINED: the child ended by SIGSYS")
else:
    print("ESCAPED: the number passed the filter")
