# id: C13
# title: Files cannot be named and opened by handle
# expect: contained
# guards: seccomp
# control: seccomp => escaped

import ctypes
import errno
import os

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


NAME_TO_HANDLE_AT, OPEN_BY_HANDLE_AT, AT_FDCWD = 303, 304, -100

# handle_bytes, handle_type, then the handle.
handle = (ctypes.c_uint32 * 34)(128, 0)
mount = ctypes.c_int()
answers = {
    "name_to_handle_at": syscall(NAME_TO_HANDLE_AT, AT_FDCWD, b"/tmp\0", handle, ctypes.byref(mount), 0),
    "open_by_handle_at": syscall(OPEN_BY_HANDLE_AT, AT_FDCWD, handle, os.O_RDONLY),
}
past = [call for call, (result, _) in answers.items() if result >= 0]
print(f"ESCAPED: {past}" if past else f"CONTAINED: {[answer for _, answer in answers.values()]}")
