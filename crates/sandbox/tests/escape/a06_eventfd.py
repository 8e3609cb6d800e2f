# id: A06
# title: eventfd and epoll descriptors count as open files
# expect: contained
# limits: open_files=64 wall=5s
# guards: rlimits
# control: rlimits => escaped

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


EVENTFD2, EPOLL_CREATE1 = 290, 291
LIMIT = FACTS["limits"]["open_files"]

held = 0
answer = "success"
while held < LIMIT + 50:
    result, answer = syscall(EVENTFD2 if held % 2 else EPOLL_CREATE1, 0, 0)
    if result < 0:
        break
    held += 1
print(f"ESCAPED: {held} descriptors" if held >= LIMIT else f"CONTAINED: {answer} at {held} descriptors")
