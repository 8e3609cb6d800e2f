# id: B07
# title: The limits of a process of the host can be neither read nor changed
# expect: contained
# guards: namespace.pid seccomp identity
# control: namespace.pid => held seccomp
# control: namespace.pid seccomp => held identity
# control: namespace.pid seccomp identity => escaped

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


PRLIMIT64, RLIMIT_NOFILE = 302, 7

limits = (ctypes.c_uint64 * 2)()
result, answer = syscall(PRLIMIT64, FACTS["host_pid"], RLIMIT_NOFILE, None, limits)
print(f"ESCAPED: read the limits {list(limits)}" if result == 0 else f"CONTAINED: prlimit answered {answer}")
