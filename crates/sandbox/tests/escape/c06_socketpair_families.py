# id: C06
# title: socketpair makes pairs of AF_UNIX only
# expect: contained
# guards: seccomp
# control: none, kernels rarely have another family that makes pairs

import ctypes
import errno

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


SOCKETPAIR, AF_TIPC = 53, 30

pair = (ctypes.c_int * 2)()
made = [family for family in range(64) if family != 1 and syscall(SOCKETPAIR, family, 5, 0, pair)[0] == 0]
print(f"ESCAPED: pairs of families {made}" if made else "CONTAINED: every other family was refused")
