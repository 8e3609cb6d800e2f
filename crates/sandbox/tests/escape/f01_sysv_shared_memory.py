# id: F01
# title: A shared memory segment of the host cannot be reached by its key
# expect: contained
# guards: namespace.ipc seccomp
# control: seccomp namespace.ipc => escaped
# works: the control needs a segment of mode 0666

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


SHMGET, SHMAT, SHM_RDONLY = 29, 30, 0o10000

segment, answer = syscall(SHMGET, FACTS["shm_key"], 0, 0)
if segment < 0:
    print(f"CONTAINED: shmget answered {answer}")
else:
    address, answer = syscall(SHMAT, segment, None, SHM_RDONLY)
    wanted = FACTS["shm_text"].encode()
    same = address > 0 and ctypes.string_at(address, len(wanted)) == wanted
    print("ESCAPED: read the host's segment" if same else f"CONTAINED: shmat answered {answer}")
