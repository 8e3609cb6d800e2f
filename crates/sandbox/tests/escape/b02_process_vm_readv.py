# id: B02
# title: The memory of another process cannot be read by process_vm_readv
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


PROCESS_VM_READV = 310

secret = ctypes.create_string_buffer(b"the child's secret")
wanted = len(secret.raw)
child = os.fork()
if child == 0:
    signal.pause()
    os._exit(0)
ctypes.memset(secret, 0, wanted)
here = ctypes.create_string_buffer(wanted)
local = (ctypes.c_size_t * 2)(ctypes.addressof(here), wanted)
remote = (ctypes.c_size_t * 2)(ctypes.addressof(secret), wanted)
result, answer = syscall(PROCESS_VM_READV, child, local, 1, remote, 1, 0)
os.kill(child, signal.SIGKILL)
print(f"ESCAPED: read {here.value!r}" if here.value else f"CONTAINED: process_vm_readv answered {answer}")
