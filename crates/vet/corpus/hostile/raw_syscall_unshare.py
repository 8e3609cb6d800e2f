# label: hostile
# expect: V401 V402
# note: Makes new namespaces by number, so that no function of libc names what happens.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET = 0x10000000, 0x00020000, 0x40000000
r = libc.syscall(272, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET)
print("unshare:", r, ctypes.get_errno())
with_mount = libc.syscall(165, b"none", b"/mnt", b"tmpfs", 0, None)
print("mount:", with_mount)
