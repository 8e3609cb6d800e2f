# id: C04
# title: Nothing can be shadowed by a bind mount
# expect: contained
# guards: seccomp capabilities landlock identity
# control: seccomp => held capabilities
# control: seccomp capabilities => held identity

import ctypes
import errno
import os

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


MOUNT, MS_BIND, MS_MOVE = 165, 0x1000, 0x2000

os.makedirs("source", exist_ok=True)
os.makedirs("target", exist_ok=True)
verdict({
    "mount(MS_BIND)": syscall(MOUNT, b"source\0", b"target\0", None, MS_BIND, None),
    "mount(MS_MOVE)": syscall(MOUNT, b"target\0", b"source\0", None, MS_MOVE, None),
})
