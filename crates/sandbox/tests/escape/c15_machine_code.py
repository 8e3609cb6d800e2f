# id: C15
# title: Machine code written by the program is filtered like any other
# expect: contained
# guards: seccomp
# control: seccomp => escaped

import ctypes
import mmap
import os

# mov eax, 323 (userfaultfd); mov edi, 1 (user mode only); syscall; ret
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(b"\xb8\x43\x01\0\0\xbf\x01\0\0\0\x0f\x05\xc3")
answer = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
print(f"ESCAPED: userfaultfd gave descriptor {answer}" if answer >= 0 else f"CONTAINED: userfaultfd answered {os.strerror(-answer)}")
