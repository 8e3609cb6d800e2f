# id: B08
# title: The open files of another process cannot be copied
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


PIDFD_OPEN, PIDFD_GETFD = 434, 438

reader, writer = os.pipe()
child = os.fork()
if child == 0:
    os.close(writer)
    signal.pause()
    os._exit(0)
os.close(reader)
handle, opened = syscall(PIDFD_OPEN, child, 0)
stolen, answer = syscall(PIDFD_GETFD, handle, reader, 0)
os.kill(child, signal.SIGKILL)
print("ESCAPED: a descriptor was copied" if stolen >= 0 else f"CONTAINED: pidfd_open {opened}, pidfd_getfd {answer}")
