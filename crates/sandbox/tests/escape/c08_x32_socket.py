# id: C08
# title: A forbidden call does not pass in x32 clothes
# expect: contained
# guards: seccomp
# control: seccomp => escaped

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


X32 = 0x40000000
CALLS = {"ptrace": X32 | 521, "execveat": X32 | 545, "unshare": X32 | 272, "io_uring_setup": X32 | 425}

passed = []
for name, number in CALLS.items():
    child = os.fork()
    if child == 0:
        syscall(number, 0, 0, 0, 0)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS):
        passed.append(name)
print(f"ESCAPED: passed the filter: {passed}" if passed else "CONTAINED: each child ended by SIGSYS")
