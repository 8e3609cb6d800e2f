# id: C05
# title: Swap and process accounting cannot be switched
# expect: contained
# guards: seccomp capabilities namespace.user identity
# control: seccomp => held capabilities
# control: seccomp capabilities => held identity

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


SWAPON, SWAPOFF, ACCT = 167, 168, 163

verdict({
    "swapon": syscall(SWAPON, b"/gambeson/no/such/file\0", 0),
    "swapoff": syscall(SWAPOFF, b"/gambeson/no/such/file\0"),
    "acct": syscall(ACCT, b"/gambeson/no/such/file\0"),
})
