# id: F03
# title: The layout of memory differs from run to run
# expect: contained
# distinct: yes
# guards: seccomp
# control: none, positive case
# works: cells forked from one nursery share the layout; a fresh start must not

import ctypes

libc = ctypes.CDLL(None)
print("VALUE:", hex(ctypes.cast(libc.printf, ctypes.c_void_p).value), hex(id(object())))
print("CONTAINED: works, two addresses")
