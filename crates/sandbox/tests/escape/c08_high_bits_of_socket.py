# id: C08
# title: High bits in the family of a socket do not hide netlink
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


SOCKET, AF_NETLINK, AF_UNIX, SOCK_RAW = 41, 16, 1, 3

made = []
for bits in (1 << 32, 1 << 33, 1 << 62, 0xFFFFFFFF << 32):
    wide = ctypes.c_long(bits | AF_NETLINK if bits < 1 << 63 else (bits | AF_NETLINK) - (1 << 64))
    result, answer = syscall(SOCKET, wide, SOCK_RAW, 0)
    if result >= 0:
        made.append(hex(bits))
print(f"ESCAPED: netlink sockets with {made}" if made else f"CONTAINED: socket answered {answer}")
