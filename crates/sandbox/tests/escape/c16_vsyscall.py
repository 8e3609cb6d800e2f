# id: C16
# title: The old vsyscall page gives no way around the filter
# expect: contained
# guards: seccomp
# control: none, what the page does depends on how the kernel was started

import ctypes
import os

# Three fixed addresses: gettimeofday, time, getcpu. None of them does anything else.
child = os.fork()
if child == 0:
    call = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p)(0xFFFFFFFFFF600400)
    os._exit(0 if call(None) > 0 else 1)
_, status = os.waitpid(child, 0)
# A jump behind the entry, where an instruction of our choice might be, must fault.
other = os.fork()
if other == 0:
    ctypes.CFUNCTYPE(ctypes.c_long)(0xFFFFFFFFFF600409)()
    os._exit(0)
_, beyond = os.waitpid(other, 0)
print("ESCAPED: code inside the page ran" if beyond == 0 else f"CONTAINED: time() ended with {status}, the jump with {beyond}")
