# id: B01
# title: The other system calls that send signals reach no process of the host either
# expect: contained
# guards: namespace.pid identity
# control: namespace.pid landlock => held identity
# control: namespace.pid landlock identity => escaped

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


RT_SIGQUEUEINFO, TKILL, TGKILL, SIGCONT = 129, 200, 234, 18
pid = FACTS["host_pid"]

# A siginfo with si_code SI_QUEUE (-1), as sigqueue(3) makes it.
info = (ctypes.c_int * 32)(SIGCONT, 0, -1)
answers = {
    "tgkill": syscall(TGKILL, pid, pid, SIGCONT),
    "tkill": syscall(TKILL, pid, SIGCONT),
    "rt_sigqueueinfo": syscall(RT_SIGQUEUEINFO, pid, SIGCONT, info),
}
sent = [call for call, (result, _) in answers.items() if result == 0]
words = ", ".join(f"{call} {answer}" for call, (_, answer) in answers.items())
print(f"ESCAPED: {words}" if sent else f"CONTAINED: {words}")
