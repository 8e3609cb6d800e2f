# id: C13
# title: open_by_handle_at does not reach inodes of the host (the Shocker shape)
# expect: contained
# guards: seccomp capabilities identity
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


OPEN_BY_HANDLE_AT = 304

# Inode 2 is the root of most disk file systems. ESTALE would mean that it was looked for.
handle = (ctypes.c_uint32 * 4)(8, 1, 2, 0)
verdict({"open_by_handle_at": syscall(OPEN_BY_HANDLE_AT, os.open("/", os.O_RDONLY), handle, os.O_RDONLY)})
