# id: B04
# title: Real-time and deadline scheduling are refused
# expect: contained
# guards: capabilities namespace.user seccomp identity
# control: seccomp => held capabilities
# control: seccomp capabilities => held identity

import ctypes
import errno
import os
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


SCHED_SETSCHEDULER, SCHED_SETATTR, FIFO, DEADLINE = 144, 314, 1, 6

priority = ctypes.c_int(1)
deadline = struct.pack("IIQiIQQQ", 48, DEADLINE, 0, 0, 0, 10**6, 10**7, 10**7)
child = os.fork()
if child == 0:
    results = [syscall(SCHED_SETSCHEDULER, 0, FIFO, ctypes.byref(priority)), syscall(SCHED_SETATTR, 0, deadline, 0)]
    os._exit(any(result == 0 for result, _ in results))
_, status = os.waitpid(child, 0)
print("ESCAPED: the child had a real-time class" if status else "CONTAINED: both were refused")
