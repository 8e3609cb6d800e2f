# id: A18
# title: A cell with many mappings is removed without delay
# expect: contained
# limits: memory=256M wall=20s
# guards: cgroup.memory
# control: none, the case is about the removal

import ctypes

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
PRIVATE_ANONYMOUS, FAILED = 0x22, ctypes.c_void_p(-1).value

# Neighbours with different protection cannot be merged into one mapping.
count = 0
while count < 60_000 and libc.mmap(None, 4096, 1 + count % 2 * 2, PRIVATE_ANONYMOUS, -1, 0) != FAILED:
    count += 1
print(f"CONTAINED: prepared, {count} mappings")
