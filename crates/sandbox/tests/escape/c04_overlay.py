# id: C04
# title: No overlay can be laid over a read-only folder
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


MOUNT = 165

here = os.getcwd()
for name in ("upper", "work", "merged"):
    os.makedirs(name, exist_ok=True)
options = f"lowerdir=/,upperdir={here}/upper,workdir={here}/work\0".encode()
verdict({"mount(overlay)": syscall(MOUNT, b"overlay\0", f"{here}/merged\0".encode(), b"overlay\0", 0, options)})
