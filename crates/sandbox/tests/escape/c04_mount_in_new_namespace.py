# id: C04
# title: The usual ladder of user namespace, mount namespace and bind mount has no first step
# expect: contained
# guards: seccomp landlock
# control: seccomp => held landlock
# control: seccomp landlock => escaped

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


UNSHARE, MOUNT, NEWUSER, NEWNS, MS_BIND = 272, 165, 0x10000000, 0x00020000, 0x1000

os.makedirs("ladder", exist_ok=True)
child = os.fork()
if child == 0:
    stepped = syscall(UNSHARE, NEWUSER | NEWNS)[0] == 0
    os._exit(0 if stepped and syscall(MOUNT, b"none\0", b"ladder\0", b"tmpfs\0", 0, None)[0] == 0 else 1)
_, status = os.waitpid(child, 0)
print("ESCAPED: mounted a file system as root of a new namespace" if status == 0 else "CONTAINED: unshare or mount was refused")
