# id: B01
# title: kill through the i386 entry ends the caller, not the host's process
# expect: contained
# guards: seccomp namespace.pid landlock identity
# control: seccomp => held namespace.pid
# control: seccomp namespace.pid landlock => held identity
# control: seccomp namespace.pid landlock identity => escaped

import ctypes
import json
import mmap
import os
import sys

FACTS = json.loads(sys.argv[1])
# mov eax, 37 (kill); mov ebx, pid; mov ecx, 18 (SIGCONT); int 0x80; ret
code = b"\x53\xb8\x25\0\0\0\xbb" + FACTS["host_pid"].to_bytes(4, "little") + b"\xb9\x12\0\0\0\xcd\x80\x5b\xc3"
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
child = os.fork()
if child == 0:
    os._exit(0 if call() == 0 else 1)
_, status = os.waitpid(child, 0)
if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
    print("ESCAPED: the host's process took a signal")
else:
    print(f"CONTAINED: the child ended with wait status {status}")
