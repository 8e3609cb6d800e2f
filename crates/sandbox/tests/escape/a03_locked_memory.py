# id: A03
# title: Locked memory cannot exceed the memory limit
# expect: contained
# limits: memory=64M wall=10s
# guards: rlimits cgroup.memory
# control: none, RLIMIT_MEMLOCK has a small default in every kernel

import ctypes
import errno
import json
import mmap
import sys

FACTS = json.loads(sys.argv[1])

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


MLOCK = 149
SIZE = 2 * FACTS["limits"]["memory"]

area = mmap.mmap(-1, SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
address = ctypes.addressof(ctypes.c_char.from_buffer(area))
result, answer = syscall(MLOCK, ctypes.c_void_p(address), SIZE)
print(f"ESCAPED: locked {SIZE} bytes" if result == 0 else f"CONTAINED: mlock answered {answer}")
