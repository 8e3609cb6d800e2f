# id: C17
# title: Every number of the x32 interface ends the process
# expect: contained
# limits: pids=64 memory=256M wall=60s cpu=30s
# guards: seccomp
# control: seccomp => escaped
# works: the control is safe on kernels without x32 only, where each number answers ENOSYS

import ctypes
import errno
import os
import signal

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


X32 = 0x40000000

numbers = [number for number in range(548) if number not in (15, 34, 56, 57, 58, 60, 62, 231)]
passed = []
for number in numbers:
    child = os.fork()
    if child == 0:
        signal.alarm(1)
        syscall(X32 | number, 0, 0, 0, 0, 0, 0)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS):
        passed.append(number)
print(f"ESCAPED: numbers {passed[:8]} passed" if passed else f"CONTAINED: SIGSYS for all {len(numbers)} numbers")
