# id: C04
# title: No mount can be copied or moved by open_tree and move_mount
# expect: contained
# guards: seccomp capabilities landlock identity
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


OPEN_TREE, MOVE_MOUNT, CLONE, AT_FDCWD = 428, 429, 1, -100

verdict({
    "open_tree": syscall(OPEN_TREE, AT_FDCWD, b"/\0", CLONE),
    "move_mount": syscall(MOVE_MOUNT, AT_FDCWD, b"/tmp\0", AT_FDCWD, b"/\0", 0),
})
