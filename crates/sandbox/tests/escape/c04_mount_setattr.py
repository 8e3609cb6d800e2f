# id: C04
# title: No mount can be made writable by mount_setattr
# expect: contained
# guards: seccomp capabilities identity
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


MOUNT_SETATTR, RDONLY, AT_FDCWD = 442, 1, -100

# attr_set, attr_clr, propagation, userns_fd
attributes = (ctypes.c_uint64 * 4)(0, RDONLY, 0, 0)
verdict({"mount_setattr": syscall(MOUNT_SETATTR, AT_FDCWD, b"/\0", 0, attributes, 32)})
