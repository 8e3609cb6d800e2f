# id: B02
# title: The memory of the cell's first process cannot be read by process_vm_readv
# expect: contained
# guards: seccomp not-dumpable landlock identity
# control: seccomp => held not-dumpable
# control: seccomp not-dumpable => held landlock
# control: seccomp not-dumpable landlock => held identity
# control: seccomp not-dumpable landlock identity => escaped
# works: who takes on another id stops being dumpable by that

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


PROCESS_VM_READV = 310

here = ctypes.create_string_buffer(16)
local = (ctypes.c_size_t * 2)(ctypes.addressof(here), 16)
# Where the code of a program without random layout would begin; EFAULT would mean: permitted.
remote = (ctypes.c_size_t * 2)(0x400000, 16)
result, answer = syscall(PROCESS_VM_READV, 1, local, 1, remote, 1, 0)
if result < 0 and answer in ("EPERM", "ENOSYS", "ESRCH"):
    print(f"CONTAINED: process_vm_readv answered {answer}")
else:
    print(f"ESCAPED: process_vm_readv on pid 1 answered {answer}")
