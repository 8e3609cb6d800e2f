# id: C16
# title: System calls that only old programs knew are refused
# expect: contained
# guards: seccomp
# control: seccomp => escaped

import ctypes
import errno

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


def verdict(answers):
    """An answer that is not a refusal means that the kernel's code behind it was reached."""
    for call, (result, answer) in answers.items():
        if answer not in ("EPERM", "EACCES", "ENOSYS"):
            print(f"ESCAPED: {call} was reached, {answer}")
            return
    print("CONTAINED: " + ", ".join(f"{call} {answer}" for call, (_, answer) in answers.items()))


USELIB, USTAT, SYSFS, REMAP_FILE_PAGES, LOOKUP_DCOOKIE = 134, 136, 139, 216, 212

verdict({
    "uselib": syscall(USELIB, b"/nowhere\0"),
    "ustat": syscall(USTAT, 0, None),
    "sysfs": syscall(SYSFS, 3, 0, 0),
    "remap_file_pages": syscall(REMAP_FILE_PAGES, 0, 4096, 0, 0, 0),
    "lookup_dcookie": syscall(LOOKUP_DCOOKIE, 0, None, 0),
})
