# id: C17
# title: No system call with useless arguments harms anything outside
# expect: contained
# limits: pids=64 memory=256M wall=60s cpu=30s
# guards: seccomp
# control: none, without the filter a sweep with useless arguments proves nothing
# works: the parent, the reaper and the supervisor live on

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


# Ends, stops or endlessly waits by definition: rt_sigreturn, pause, exit, exit_group, and
# vfork, which would share this process's stack. kill with -1 would end the parent too.
SKIPPED = {15, 34, 58, 60, 62, 231}


def attempt(number, junk):
    child = os.fork()
    if child == 0:
        os.setsid()
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        for file in (0, 1, 2):
            os.dup2(null, file)
        syscall(number, *[junk] * 6)
        os._exit(0)
    # A child may have stopped its timer or blocked every signal: it has half a second.
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


null = os.open("/dev/null", os.O_RDWR)
numbers = [number for number in range(461) if number not in SKIPPED]
for number in numbers:
    for junk in (0, -1):
        attempt(number, junk)
print(f"CONTAINED: {len(numbers)} system calls were tried twice")
