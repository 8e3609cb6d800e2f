# id: C03
# title: No user namespace can be made by unshare
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


UNSHARE, NEWUSER, NEWNS, NEWNET = 272, 0x10000000, 0x00020000, 0x40000000

child = os.fork()
if child == 0:
    result, answer = syscall(UNSHARE, NEWUSER | NEWNS | NEWNET)
    os._exit(0 if result == 0 else 1)
_, status = os.waitpid(child, 0)
print("ESCAPED: a user namespace with all capabilities was made" if status == 0 else "CONTAINED: unshare was refused")
