# id: B02
# title: ptrace cannot attach to a process of the host
# expect: contained
# guards: seccomp namespace.pid identity namespace.user
# control: seccomp => held namespace.pid
# control: seccomp namespace.pid landlock => held identity
# control: seccomp namespace.pid landlock identity => held namespace.user

import ctypes
import errno
import json
import sys

FACTS = json.loads(sys.argv[1])

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


PTRACE, SEIZE, DETACH = 101, 0x4206, 17

result, answer = syscall(PTRACE, SEIZE, FACTS["host_pid"], 0, 0)
if result == 0:
    syscall(PTRACE, DETACH, FACTS["host_pid"], 0, 0)
print("ESCAPED: attached to the host's process" if result == 0 else f"CONTAINED: ptrace answered {answer}")
