# id: C02
# title: The kernel's keyrings are out of reach
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


ADD_KEY, REQUEST_KEY, KEYCTL = 248, 249, 250
PROCESS_KEYRING, GET_KEYRING_ID = -2, 0

verdict({
    "add_key": syscall(ADD_KEY, b"user\0", b"gambeson\0", b"x", 1, PROCESS_KEYRING),
    "request_key": syscall(REQUEST_KEY, b"user\0", b"gambeson\0", None, PROCESS_KEYRING),
    "keyctl": syscall(KEYCTL, GET_KEYRING_ID, PROCESS_KEYRING, 1, 0, 0),
})
