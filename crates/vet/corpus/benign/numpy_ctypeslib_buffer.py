# label: benign
# expect: V401
# note: Shares a numpy array's memory with qsort from libc through its data pointer.
import ctypes
import numpy as np

libc = ctypes.CDLL("libc.so.6")
CMP = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))

a = np.random.default_rng(0).integers(0, 100, 12, dtype=np.int32)
print(a)
libc.qsort(a.ctypes.data_as(ctypes.c_void_p), a.size, a.itemsize, CMP(lambda x, y: x[0] - y[0]))
print(a)
