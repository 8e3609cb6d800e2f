# id: A06
# title: inotify instances, which count against the host's own, cannot be made
# expect: contained
# guards: seccomp
# control: seccomp => escaped
import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)
made = [libc.syscall(ctypes.c_long(294), ctypes.c_long(0)) for _ in range(4)]
if max(made) >= 0:
    print(f"ESCAPED: instances {made}")
else:
    print(f"CONTAINED: {errno.errorcode[ctypes.get_errno()]}, {os.strerror(ctypes.get_errno())}")
