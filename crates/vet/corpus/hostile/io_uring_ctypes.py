# label: hostile
# expect: V401 V402
# note: Sets up an io_uring by raw system call, to read files where no filter for open looks.
import ctypes
import mmap


class Params(ctypes.Structure):
    _fields_ = [("sq_entries", ctypes.c_uint32), ("cq_entries", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("rest", ctypes.c_uint8 * 108)]


IO_URING_SETUP, IO_URING_ENTER = 425, 426
libc = ctypes.CDLL(None, use_errno=True)
p = Params()
fd = libc.syscall(IO_URING_SETUP, 8, ctypes.byref(p))
if fd < 0:
    raise SystemExit(f"io_uring_setup: errno {ctypes.get_errno()}")
ring = mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
print(len(ring), p.sq_entries)
libc.syscall(IO_URING_ENTER, fd, 1, 1, 1, None, 0)
