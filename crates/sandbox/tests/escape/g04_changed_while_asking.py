# id: G04
# title: What a refused call points to can change while it is looked at, and nothing follows from it
# expect: contained
# limits: wall=20s
# guards: seccomp capabilities
# control: seccomp => held capabilities
# works: another thread writes over the path while the supervisor reads it to explain

import ctypes
import errno
import os
import mmap
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


MOUNT = 165
page = mmap.mmap(-1, 4096)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
end = time.monotonic() + 3


def rewrite():
    turn = 0
    while time.monotonic() < end:
        turn += 1
        page[:16] = (b"/tmp\0" if turn % 2 else b"/" * 15 + b"\0").ljust(16, b"x")


threads = [threading.Thread(target=rewrite) for _ in range(2)]
[thread.start() for thread in threads]
done = set()
while time.monotonic() < end:
    for where in (address, address + 4090, 0, 1, 0x7FFFFFFFF000, -1):
        done.add(syscall(MOUNT, b"none", where, where, 0, 0))
[thread.join() for thread in threads]
print("ESCAPED: mounted" if any(result == 0 for result, _ in done) else f"CONTAINED: {sorted(done)}")
