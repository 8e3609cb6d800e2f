# id: B01
# title: No handle to a process of the host can be had
# expect: contained
# guards: namespace.pid
# control: namespace.pid => escaped

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


PIDFD_OPEN, PIDFD_SEND_SIGNAL, SIGCONT = 434, 424, 18

handle, answer = syscall(PIDFD_OPEN, FACTS["host_pid"], 0)
if handle < 0:
    print(f"CONTAINED: pidfd_open answered {answer}")
else:
    result, answer = syscall(PIDFD_SEND_SIGNAL, handle, SIGCONT, None, 0)
    print(f"ESCAPED: a pidfd of the host's process was opened, a signal through it got {answer}")
