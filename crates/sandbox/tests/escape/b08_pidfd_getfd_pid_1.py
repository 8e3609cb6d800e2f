# id: B08
# title: The open files of the cell's first process cannot be copied
# expect: contained
# guards: seccomp not-dumpable landlock identity
# control: seccomp => held not-dumpable
# control: seccomp not-dumpable => held landlock
# control: seccomp not-dumpable landlock => held identity
# control: seccomp not-dumpable landlock identity => escaped
# works: who takes on another id stops being dumpable by that

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


PIDFD_OPEN, PIDFD_GETFD = 434, 438

handle, opened = syscall(PIDFD_OPEN, 1, 0)
answers = {syscall(PIDFD_GETFD, handle, number, 0)[1] for number in range(32)}
# EBADF for a descriptor that pid 1 does not have would mean that the question was permitted.
past = handle >= 0 and answers - {"EPERM", "EACCES", "ENOSYS", "ESRCH"}
print(f"ESCAPED: pid 1 answered {sorted(answers)}" if past else f"CONTAINED: pidfd_open {opened}, pidfd_getfd {sorted(answers)}")
