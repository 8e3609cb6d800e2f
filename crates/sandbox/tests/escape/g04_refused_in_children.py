# id: G04
# title: Children, their threads and what they execute are refused as their parent is, under any signals
# expect: contained
# guards: seccomp
# control: seccomp => escaped

import ctypes
import errno
import os
import signal
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


UNSHARE, NEWUSER = 272, 0x10000000
freed = []


def try_in_child(how):
    child = os.fork()
    if child == 0:
        os._exit(1 if how() else 0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        freed.append(how.__name__)


def plain():
    return syscall(UNSHARE, NEWUSER)[0] == 0


def below():
    child = os.fork()
    if child == 0:
        os.setsid()
        os._exit(plain())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def under_signals():
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        if plain():
            return True
    return False


def executed():
    code = "import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(272, 0x10000000) == 0)"
    return subprocess.run([sys.executable, "-c", code]).returncode


for how in (plain, below, under_signals, executed):
    try_in_child(how)
print(f"ESCAPED: {freed}" if freed else "CONTAINED: each of them was refused")
