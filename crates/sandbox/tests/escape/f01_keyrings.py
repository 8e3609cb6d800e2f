# id: F01
# title: The keyrings of user and session cannot pass data from cell to cell
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


KEYCTL, GET_KEYRING_ID, JOIN_SESSION, READ = 250, 0, 1, 11
SESSION, USER = -3, -4

verdict({
    "get session keyring": syscall(KEYCTL, GET_KEYRING_ID, SESSION, 0, 0, 0),
    "get user keyring": syscall(KEYCTL, GET_KEYRING_ID, USER, 1, 0, 0),
})
