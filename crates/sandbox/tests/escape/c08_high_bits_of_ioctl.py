# id: C08
# title: High bits in the request of ioctl do not hide TIOCSTI
# expect: contained
# guards: seccomp
# control: none, the cell has no terminal on which the call could succeed

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


IOCTL, TIOCSTI = 16, 0x5412

answers = {hex(bits): syscall(IOCTL, 0, ctypes.c_long(bits | TIOCSTI), b"x") for bits in (0, 1 << 32, 1 << 40)}
past = [bits for bits, (result, _) in answers.items() if result == 0]
print(f"ESCAPED: typed into a terminal with {past}" if past else f"CONTAINED: {sorted({a for _, a in answers.values()})}")
