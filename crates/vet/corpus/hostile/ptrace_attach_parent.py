# label: hostile
# expect: V202 V401
# note: Attaches to the parent process by ptrace and reads a word of its memory.
# allow: V402
import ctypes
import os

PTRACE_ATTACH, PTRACE_PEEKDATA, PTRACE_DETACH = 16, 2, 17
libc = ctypes.CDLL("libc.so.6", use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long

victim = os.getppid()
if libc.ptrace(PTRACE_ATTACH, victim, None, None) == 0:
    os.waitpid(victim, 0)
    word = libc.ptrace(PTRACE_PEEKDATA, victim, 0x400000, None)
    print(hex(word))
    libc.ptrace(PTRACE_DETACH, victim, None, None)
