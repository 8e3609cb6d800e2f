# id: C01
# title: io_uring is refused as if the kernel did not have it
# expect: contained
# guards: seccomp
# control: seccomp => escaped
# works: programs fall back on ENOSYS

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


IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER = 425, 426, 427

parameters = (ctypes.c_uint8 * 120)()
ring, answer = syscall(IO_URING_SETUP, 4, parameters)
others = [syscall(IO_URING_ENTER, -1, 0, 0, 0, None, 0)[1], syscall(IO_URING_REGISTER, -1, 0, None, 0)[1]]
refused = ring < 0 and set(others + [answer]) <= {"ENOSYS", "EPERM"}
print(f"CONTAINED: {answer} {others}" if refused else f"ESCAPED: ring {ring}, {answer} {others}")
