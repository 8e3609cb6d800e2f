# id: C03
# title: No namespace of another kind can be made by unshare
# expect: contained
# guards: seccomp capabilities identity
# control: seccomp => held capabilities
# control: seccomp capabilities => held identity

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


UNSHARE = 272
KINDS = {"mount": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000, "pid": 0x20000000, "net": 0x40000000, "time": 0x80}

made = []
for kind, flag in KINDS.items():
    child = os.fork()
    if child == 0:
        os._exit(0 if syscall(UNSHARE, flag)[0] == 0 else 1)
    if os.waitpid(child, 0)[1] == 0:
        made.append(kind)
print(f"ESCAPED: made namespaces {made}" if made else "CONTAINED: unshare was refused for every kind")
