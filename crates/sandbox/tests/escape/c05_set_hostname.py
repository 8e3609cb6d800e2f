# id: C05
# title: The host name cannot be changed
# expect: contained
# guards: seccomp capabilities namespace.uts identity
# control: seccomp => held capabilities
# control: seccomp capabilities => held identity
# control: seccomp capabilities namespace.uts => held identity
# works: with its own uts namespace a change would stay inside

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


SETHOSTNAME, SETDOMAINNAME = 170, 171

_, answer = syscall(SETHOSTNAME, b"gambeson-was-here", 17)
_, domain = syscall(SETDOMAINNAME, b"gambeson-was-here", 17)
name = os.uname().nodename
changed = name == "gambeson-was-here" or domain == "success"
print(f"ESCAPED: the host is called {name} now" if changed else f"CONTAINED: sethostname {answer}, setdomainname {domain}")
