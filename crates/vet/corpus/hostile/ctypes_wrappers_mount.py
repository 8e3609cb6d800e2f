# label: hostile
# expect: V101 V401
# note: Mounts and pivots through libc's wrappers rather than numbers.
# allow: V402
import ctypes
import os

libc = ctypes.CDLL("libc.so.6", use_errno=True)


def check(r, what):
    if r:
        e = ctypes.get_errno()
        raise OSError(e, os.strerror(e), what)


check(libc.unshare(0x00020000), "unshare")
check(libc.mount(b"/dev/sda1", b"/mnt", b"ext4", 0, None), "mount")
print(os.listdir("/mnt"))
