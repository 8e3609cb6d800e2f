# id: H02
# title: ctypes works, with callbacks too
# expect: contained
# guards: seccomp
# control: none, positive case

import ctypes

libc = ctypes.CDLL(None)
numbers = (ctypes.c_int * 5)(5, 3, 1, 4, 2)
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
libc.qsort(numbers, 5, 4, compare(lambda a, b: a[0] - b[0]))
assert list(numbers) == [1, 2, 3, 4, 5]
print("CONTAINED: works, sorted by a callback")
