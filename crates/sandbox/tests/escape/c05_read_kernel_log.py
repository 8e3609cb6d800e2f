# id: C05
# title: The kernel's log cannot be read
# expect: contained
# guards: seccomp
# control: none, it depends on the host's kernel.dmesg_restrict

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


SYSLOG, READ_ALL = 103, 3

text = ctypes.create_string_buffer(4096)
size, answer = syscall(SYSLOG, READ_ALL, text, 4096)
print(f"ESCAPED: read {size} bytes of the kernel's log" if size > 0 else f"CONTAINED: syslog answered {answer}")
