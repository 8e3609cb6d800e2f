# id: C16
# title: Pages cannot be moved between memory nodes
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


MIGRATE_PAGES, MOVE_PAGES = 256, 279

mask = ctypes.c_ulong(1)
verdict({
    "migrate_pages": syscall(MIGRATE_PAGES, 0, 64, ctypes.byref(mask), ctypes.byref(mask)),
    "move_pages": syscall(MOVE_PAGES, 0, 0, None, None, None, 0),
})
