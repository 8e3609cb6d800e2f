# id: F01
# title: A POSIX message queue of the host cannot be opened
# expect: contained
# guards: namespace.ipc seccomp landlock
# control: seccomp namespace.ipc => held landlock
# control: seccomp namespace.ipc landlock => escaped
# works: the control needs a queue of mode 0666

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


MQ_OPEN = 240

name = FACTS["mq_name"].lstrip("/").encode() + b"\0"
queue, answer = syscall(MQ_OPEN, name, os.O_RDONLY | os.O_NONBLOCK, 0, None)
print("ESCAPED: opened the host's queue" if queue >= 0 else f"CONTAINED: mq_open answered {answer}")
