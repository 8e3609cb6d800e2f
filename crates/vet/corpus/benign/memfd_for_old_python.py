# label: benign
# expect: V401 V402
# note: memfd_create by number, for interpreters that lack os.memfd_create.
import ctypes
import os
import platform


def memfd(name):
    if hasattr(os, "memfd_create"):
        return os.memfd_create(name)
    number = {"x86_64": 319, "aarch64": 279}[platform.machine()]
    fd = ctypes.CDLL(None, use_errno=True).syscall(number, name.encode(), 1)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "memfd_create")
    return fd


with open(memfd("scratch"), "w+b") as f:
    f.write(b"kept in memory only")
    f.seek(0)
    print(f.read())
