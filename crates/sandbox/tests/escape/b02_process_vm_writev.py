# id: B02
# title: The memory of another process cannot be written by process_vm_writev
# expect: contained
# guards: seccomp
# control: seccomp => escaped

import ctypes
import errno
import os
import signal

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


PROCESS_VM_WRITEV = 311

word = ctypes.c_int(0)
new = ctypes.c_int(42)
child = os.fork()
if child == 0:
    for _ in range(100):
        if word.value == 42:
            os._exit(42)
        signal.sigtimedwait([signal.SIGUSR1], 0.02)
    os._exit(0)
local = (ctypes.c_size_t * 2)(ctypes.addressof(new), 4)
remote = (ctypes.c_size_t * 2)(ctypes.addressof(word), 4)
result, answer = syscall(PROCESS_VM_WRITEV, child, local, 1, remote, 1, 0)
if result < 0:
    os.kill(child, signal.SIGKILL)
_, status = os.waitpid(child, 0)
changed = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 42
print("ESCAPED: the child saw the new value" if changed else f"CONTAINED: process_vm_writev answered {answer}")
