# label: hostile
# expect: V401
# note: Maps an executable page, copies machine code into it and jumps there; the bytes only return.
# allow: V402 V501 V504
import ctypes
import mmap

code = bytes.fromhex("b82a000000c3")  # mov eax, 42; ret
m = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
m.write(code)
address = ctypes.addressof(ctypes.c_char.from_buffer(m))
entry = ctypes.CFUNCTYPE(ctypes.c_int)(address)
print(entry())
