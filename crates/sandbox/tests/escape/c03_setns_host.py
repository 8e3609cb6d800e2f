# id: C03
# title: The namespaces of a process of the host cannot be entered
# expect: contained
# guards: seccomp namespace.pid capabilities identity namespace.user
# control: seccomp => held namespace.pid
# control: seccomp namespace.pid landlock => held identity
# control: seccomp namespace.pid landlock identity => held namespace.user

import ctypes
import errno
import json
import os
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


SETNS, NEWNET = 308, 0x40000000

try:
    handle = os.open(f"/proc/{FACTS['host_pid']}/ns/net", os.O_RDONLY)
    result, answer = syscall(SETNS, handle, NEWNET)
    print("ESCAPED: entered the host's network" if result == 0 else f"CONTAINED: setns answered {answer}")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode[refusal.errno]}")
