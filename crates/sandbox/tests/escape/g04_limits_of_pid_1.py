# id: G04
# title: The limits and the schedule of pid 1 cannot be turned against the cell
# expect: contained
# guards: not-dumpable identity
# control: none, the cell would harm itself only

import ctypes
import errno
import os

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


PRLIMIT64, RLIMIT_CPU, RLIMIT_NOFILE = 302, 0, 7

answers = []
for limit in (RLIMIT_NOFILE, RLIMIT_CPU):
    answers.append(syscall(PRLIMIT64, 1, limit, (ctypes.c_uint64 * 2)(1, 1), None)[1])
for attempt in (lambda: os.setpriority(os.PRIO_PROCESS, 1, 19), lambda: os.sched_setaffinity(1, {0})):
    try:
        attempt()
        answers.append("success")
    except OSError as refusal:
        answers.append(errno.errorcode[refusal.errno])
print(f"CONTAINED: {answers}, that the end is reported is seen from outside")
