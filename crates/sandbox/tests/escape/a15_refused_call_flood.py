# id: A15
# title: A flood of refused system calls does not starve the one who watches
# expect: contained
# limits: wall=20s cpu=15s
# guards: seccomp
# control: none, the case is about what the flood costs others

import ctypes
import errno
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


PTRACE, SOCKET = 101, 41

# Explained calls wait for their answers, which come at a rate; others are refused by the filter itself.
INOTIFY = 294
end = time.monotonic() + 5
while time.monotonic() < end:
    for _ in range(1000):
        syscall(INOTIFY, 0)
    syscall(PTRACE, 999, 0, 0, 0)
    syscall(SOCKET, 38, 5, 0)
print("CONTAINED: five seconds of refused calls are over")
