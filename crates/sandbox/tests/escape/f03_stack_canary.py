# id: F03
# title: The kernel's random bytes for the stack canary differ from run to run
# expect: contained
# distinct: yes
# guards: seccomp
# control: none, positive case
# works: cells forked from one nursery share them; a fresh start must not

import ctypes

AT_RANDOM = 25
libc = ctypes.CDLL(None)
libc.getauxval.restype = ctypes.c_ulong
print("VALUE:", ctypes.string_at(libc.getauxval(ctypes.c_ulong(AT_RANDOM)), 16).hex())
print("CONTAINED: works, sixteen bytes")
