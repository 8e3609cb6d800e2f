# id: B05
# title: Capabilities cannot be raised again
# expect: contained
# guards: capabilities
# control: none, once they are gone the kernel alone decides

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


CAPSET, PRCTL, PR_CAP_AMBIENT, RAISE = 126, 157, 47, 2

header = (ctypes.c_uint32 * 2)(0x20080522, 0)
every = (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
answers = [syscall(CAPSET, header, every)] + [syscall(PRCTL, PR_CAP_AMBIENT, RAISE, n, 0, 0) for n in range(41)]
raised = any(result == 0 for result, _ in answers)
print("ESCAPED: a capability was raised" if raised else f"CONTAINED: capset answered {answers[0][1]}")
