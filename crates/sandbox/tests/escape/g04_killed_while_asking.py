# id: G04
# title: Processes killed while their question waits leave nothing to be answered in their place
# expect: contained
# limits: wall=20s
# guards: seccomp
# control: seccomp => escaped
# works: a number that is used again would let an answer reach another call

import ctypes
import errno
import os
import signal
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


UNSHARE, GETPID, MOUNT, NEWUSER = 272, 39, 165, 0x10000000


def asks():
    child = os.fork()
    if child == 0:
        while True:
            syscall(MOUNT, b"a", b"/tmp", b"tmpfs", 0, 0)
    return child


freed = 0
for turn in range(150):
    children = [asks() for _ in range(3)]
    time.sleep(0.001 * (turn % 5))
    for child in children:
        os.kill(child, signal.SIGKILL)
    probe = os.fork()
    if probe == 0:
        # Allowed calls give what they are, whoever is answered meanwhile.
        right = syscall(GETPID)[0] == os.getpid()
        os._exit(1 if syscall(UNSHARE, NEWUSER)[0] == 0 or not right else 0)
    freed += os.waitstatus_to_exitcode(os.waitpid(probe, 0)[1])
    for child in children:
        os.waitpid(child, 0)
print(f"ESCAPED: {freed} times" if freed else "CONTAINED: every answer was a refusal")
