# id: C05
# title: quotactl is refused
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


QUOTACTL, Q_SYNC, Q_GETFMT = 179, 0x800001, 0x800004

# ENOENT or ENODEV would mean that the device was looked for.
verdict({
    "quotactl(Q_SYNC)": syscall(QUOTACTL, Q_SYNC << 8, None, 0, None),
    "quotactl(Q_GETFMT)": syscall(QUOTACTL, Q_GETFMT << 8, b"/gambeson/no/such/device\0", 0, None),
})
