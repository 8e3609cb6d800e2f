# id: C08
# title: A system call through the i386 entry ends the process
# expect: contained
# guards: seccomp
# control: seccomp => escaped
# works: the control needs a kernel with IA32 emulation

import ctypes
import mmap
import os
import signal

# mov eax, 20 (getpid); int 0x80; ret
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(b"\xb8\x14\0\0\0\xcd\x80\xc3")
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
child = os.fork()
if child == 0:
    os._exit(0 if call() == os.getpid() else 1)
_, status = os.waitpid(child, 0)
if os.WIFSIGNALED(status):
    print(f"CONTAINED: the child ended by {signal.Signals(os.WTERMSIG(status)).name}")
else:
    print("ESCAPED: getpid answered through the i386 entry")
