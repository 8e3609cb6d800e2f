# id: C06
# title: A private network gives the internet families only
# expect: contained
# network: loopback
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


SOCKET, ALLOWED = 41, {1, 2, 10}

past = {}
for family in range(64):
    for kind in (1, 2, 3, 5):
        result, answer = syscall(SOCKET, family, kind, 0)
        if family not in ALLOWED and answer not in ("EPERM", "EACCES"):
            past[family] = answer
        if result > 2:
            LIBC.close(result)
print(f"ESCAPED: families {past}" if past else "CONTAINED: EPERM for every other family")
