# id: C03
# title: No namespace can be entered
# expect: contained
# guards: seccomp capabilities identity
# control: seccomp => held capabilities
# control: seccomp capabilities => held identity

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


SETNS, PIDFD_OPEN = 308, 434
NEWNET, NEWUTS, NEWNS = 0x40000000, 0x04000000, 0x00020000

answers = {}
for target in (1, os.getpid()):
    handle, opened = syscall(PIDFD_OPEN, target, 0)
    for kind, flag in (("net", NEWNET), ("uts", NEWUTS), ("mount", NEWNS)):
        answers[f"{kind} of {target}"] = syscall(SETNS, handle, flag)[1] if handle >= 0 else opened
entered = [what for what, answer in answers.items() if answer == "success"]
print(f"ESCAPED: entered {entered}" if entered else f"CONTAINED: setns answered {sorted(set(answers.values()))}")
