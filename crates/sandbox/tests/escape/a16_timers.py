# id: A16
# title: POSIX timers are bounded
# expect: contained
# limits: memory=64M wall=10s
# guards: rlimits cgroup.memory
# works: the control needs a host whose own bound is above five thousand
# control: rlimits => escaped

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


TIMER_CREATE = 222
CLOCK_MONOTONIC = 1

timer = ctypes.c_int()
count = 0
answer = "success"
while count < 5_000:
    result, answer = syscall(TIMER_CREATE, CLOCK_MONOTONIC, None, ctypes.byref(timer))
    if result < 0:
        break
    count += 1
print(f"ESCAPED: {count} timers" if result == 0 else f"CONTAINED: {answer} at {count} timers")
