# id: B02
# title: ptrace cannot attach, not even to a child
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


PTRACE, ATTACH, SEIZE = 101, 16, 0x4206

child = os.fork()
if child == 0:
    signal.pause()
    os._exit(0)
answers = [syscall(PTRACE, request, child, 0, 0) for request in (ATTACH, SEIZE)]
os.kill(child, signal.SIGKILL)
names = [answer for _, answer in answers]
print(f"ESCAPED: attached, {names}" if "success" in names else f"CONTAINED: ptrace answered {names}")
