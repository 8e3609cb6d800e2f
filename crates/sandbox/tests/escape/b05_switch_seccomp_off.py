# id: B05
# title: The system call filter is there and cannot be switched off
# expect: contained
# guards: seccomp
# control: seccomp => escaped

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


PRCTL, PR_GET_SECCOMP, PR_SET_SECCOMP = 157, 21, 22

state, answer = syscall(PRCTL, PR_GET_SECCOMP, 0, 0, 0, 0)
_, off = syscall(PRCTL, PR_SET_SECCOMP, 0, 0, 0, 0)
still, _ = syscall(PRCTL, PR_GET_SECCOMP, 0, 0, 0, 0)
if state == 0 or still == 0:
    print("ESCAPED: no filter is active")
else:
    # Where prctl itself is filtered, the refusal is the proof of the filter.
    print(f"CONTAINED: the mode is {state} ({answer}), to switch it off got {off}")
