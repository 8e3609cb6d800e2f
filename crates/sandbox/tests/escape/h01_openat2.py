# id: H01
# title: openat2 without the C library wins nothing
# expect: contained
# guards: root landlock seccomp
# control: root => held landlock
# control: root landlock => escaped

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


def read_canary(opener=open):
    """Reads the host's file with whatever the trick has won."""
    try:
        with opener(FACTS["canary_path"]) as file:
            text = file.read()
    except OSError as refusal:
        print(f"CONTAINED: the canary stays out of reach, {errno.errorcode[refusal.errno]}")
        return
    same = text == FACTS["canary_text"]
    print("ESCAPED: read the canary" if same else "CONTAINED: that was not the canary")


OPENAT2, AT_FDCWD = 437, -100


def by_openat2(path):
    how = (ctypes.c_uint64 * 3)(os.O_RDONLY, 0, 0)
    file, answer = syscall(OPENAT2, AT_FDCWD, path.encode() + b"\0", how, 24)
    if file < 0:
        raise OSError(getattr(errno, answer), path)
    return os.fdopen(file)


read_canary(by_openat2)
