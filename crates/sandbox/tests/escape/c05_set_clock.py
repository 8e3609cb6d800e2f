# id: C05
# title: The clock cannot be set
# expect: contained
# guards: seccomp capabilities namespace.user identity
# control: seccomp => held capabilities
# control: seccomp capabilities => held identity

import ctypes
import errno
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


def verdict(answers):
    """An answer that is not a refusal means that the kernel's code behind it was reached."""
    for call, (result, answer) in answers.items():
        if answer not in ("EPERM", "EACCES", "ENOSYS"):
            print(f"ESCAPED: {call} was reached, {answer}")
            return
    print("CONTAINED: " + ", ".join(f"{call} {answer}" for call, (_, answer) in answers.items()))


CLOCK_SETTIME, SETTIMEOFDAY, ADJTIMEX, CLOCK_ADJTIME = 227, 164, 159, 305
ADJ_TICK = 0x4000

# The time it is already; nothing at all; a tick of zero, which who may set it is refused with EINVAL.
now = time.time_ns()
timex = (ctypes.c_uint32 * 64)(ADJ_TICK)
verdict({
    "clock_settime": syscall(CLOCK_SETTIME, 0, (ctypes.c_long * 2)(now // 10**9, now % 10**9)),
    "settimeofday": syscall(SETTIMEOFDAY, None, None),
    "adjtimex": syscall(ADJTIMEX, timex),
    "clock_adjtime": syscall(CLOCK_ADJTIME, 0, timex),
})
