# id: C03
# title: No user namespace can be made by clone3
# expect: contained
# guards: seccomp
# control: seccomp => escaped
# works: clone3 answers ENOSYS, because a filter cannot look into its structure

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


CLONE3, NEWUSER, SIGCHLD = 435, 0x10000000, 17

# flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls
arguments = (ctypes.c_uint64 * 8)(NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0)
child, answer = syscall(CLONE3, arguments, 64)
if child == 0:
    os._exit(0)
if child > 0:
    os.waitpid(child, 0)
print("ESCAPED: a child began in a new user namespace" if child > 0 else f"CONTAINED: clone3 answered {answer}")
