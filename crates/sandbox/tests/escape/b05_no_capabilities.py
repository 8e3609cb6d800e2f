# id: B05
# title: The cell holds no capability in any set
# expect: contained
# guards: capabilities
# control: capabilities => escaped

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


CAPGET, PRCTL, PR_CAPBSET_READ, PR_CAP_AMBIENT, IS_SET = 125, 157, 23, 47, 1

header = (ctypes.c_uint32 * 2)(0x20080522, 0)
sets = (ctypes.c_uint32 * 6)()
_, answer = syscall(CAPGET, header, sets)
bounding = [n for n in range(41) if syscall(PRCTL, PR_CAPBSET_READ, n, 0, 0, 0)[0] == 1]
ambient = [n for n in range(41) if syscall(PRCTL, PR_CAP_AMBIENT, IS_SET, n, 0, 0)[0] == 1]
held = any(sets) or bounding or ambient
print(f"ESCAPED: sets {list(sets)}, bounding {bounding}" if held else f"CONTAINED: all sets are empty, capget {answer}")
