# id: G04
# title: The other end of the filter's questions is nowhere in the cell, and closing everything opens nothing
# expect: contained
# guards: seccomp
# control: seccomp => escaped

import ctypes
import errno
import os
import fcntl

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


UNSHARE, PIDFD_OPEN, PIDFD_GETFD, NEWUSER = 272, 434, 438, 0x10000000
SIZES = 0x40082102  # SECCOMP_IOCTL_NOTIF_ID_VALID: asked of a listener it says that there is no such question.

found = []


def is_listener(file):
    try:
        fcntl.ioctl(file, SIZES, bytearray(8))
    except OSError as error:
        return error.errno == errno.ENOENT
    return True


for file in range(1024):
    if is_listener(file):
        found.append(file)
for process in filter(str.isdigit, os.listdir("/proc")):
    try:
        names = os.listdir(f"/proc/{process}/fd")
    except OSError:
        continue
    for name in names:
        try:
            if "seccomp" in os.readlink(f"/proc/{process}/fd/{name}"):
                found.append((process, name))
        except OSError:
            pass
for parent in (1, os.getppid()):
    pidfd, _ = syscall(PIDFD_OPEN, parent, 0)
    for file in range(64):
        taken, _ = syscall(PIDFD_GETFD, pidfd, file, 0) if pidfd >= 0 else (-1, "")
        if taken >= 0 and is_listener(taken):
            found.append((parent, file))

out = os.dup(1)
child = os.fork()
if child == 0:
    os.closerange(0, 1024)
    os._exit(1 if syscall(UNSHARE, NEWUSER)[0] == 0 else 0)
free = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(f"ESCAPED: {found} {free}" if found or free else "CONTAINED: there is no listener, and the answer is the same")
