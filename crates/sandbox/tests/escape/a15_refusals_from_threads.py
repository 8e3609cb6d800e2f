# id: A15
# title: Refused calls of many threads and processes at once starve nobody
# expect: contained
# limits: wall=20s cpu=15s
# guards: seccomp
# control: none, the case is about what the flood costs others

import ctypes
import errno
import os
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


PTRACE, SOCKET, UNSHARE, MOUNT = 101, 41, 272, 165
end = time.monotonic() + 3
wrong = []


def storm(at):
    while time.monotonic() < end:
        for result, answer in (
            syscall(PTRACE, 16, 1, 0, 0),
            syscall(SOCKET, 38 + at, 5, 0),
            syscall(UNSHARE, 0x10000000),
            syscall(MOUNT, b"a" * 5000, b"b" * 5000, b"c" * 5000, 0, 0),
        ):
            if result != -1 or answer != "EPERM":
                wrong.append((result, answer))


children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        threads = [threading.Thread(target=storm, args=(at,)) for at in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        os._exit(len(wrong) > 0)
    children.append(child)
statuses = [os.waitpid(child, 0)[1] for child in children]
print("CONTAINED: sixteen threads were refused for three seconds" if not any(statuses) else f"ESCAPED: {statuses}")
