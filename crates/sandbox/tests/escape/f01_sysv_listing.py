# id: F01
# title: Nothing of the host's System V objects can be listed
# expect: contained
# guards: namespace.ipc seccomp
# control: seccomp namespace.ipc => escaped

import ctypes
import errno
import json
import sys

FACTS = json.loads(sys.argv[1])

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


SHMCTL, SHM_INFO, SHM_STAT_ANY = 31, 14, 15

information = (ctypes.c_ulong * 32)()
highest, answer = syscall(SHMCTL, 0, SHM_INFO, information)
used = ctypes.cast(information, ctypes.POINTER(ctypes.c_int))[0]
print(f"ESCAPED: {used} segments are in use" if highest >= 0 and used > 0 else f"CONTAINED: shmctl {answer}, {used} segments")
