# id: C04
# title: The later calls of the new mount interface are refused as well
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


def verdict(answers):
    """An answer that is not a refusal means that the kernel's code behind it was reached."""
    for call, (result, answer) in answers.items():
        if answer not in ("EPERM", "EACCES", "ENOSYS"):
            print(f"ESCAPED: {call} was reached, {answer}")
            return
    print("CONTAINED: " + ", ".join(f"{call} {answer}" for call, (_, answer) in answers.items()))


FSCONFIG, FSMOUNT, SET_FLAG = 431, 432, 0

# An answer of EBADF or EINVAL would mean that the call looked at its arguments.
verdict({
    "fsconfig": syscall(FSCONFIG, -1, SET_FLAG, b"ro\0", None, 0),
    "fsmount": syscall(FSMOUNT, -1, 0, 0),
})
