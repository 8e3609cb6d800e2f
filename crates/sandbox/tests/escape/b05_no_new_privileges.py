# id: B05
# title: The promise of no new privileges is made and cannot be taken back
# expect: contained
# guards: no-new-privileges
# control: no-new-privileges seccomp landlock => escaped

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


PRCTL, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 157, 38, 39

_, answer = syscall(PRCTL, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)
state, _ = syscall(PRCTL, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
print(f"CONTAINED: to take it back got {answer}" if state == 1 else "ESCAPED: new privileges are possible")
