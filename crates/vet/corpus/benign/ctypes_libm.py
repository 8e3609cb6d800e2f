# label: benign
# expect: V401
# note: Calls cbrt and hypot from the C maths library; native code, yet no system call.
import ctypes
import ctypes.util

libm = ctypes.CDLL(ctypes.util.find_library("m"))
libm.cbrt.restype = ctypes.c_double
libm.cbrt.argtypes = [ctypes.c_double]
libm.hypot.restype = ctypes.c_double
libm.hypot.argtypes = [ctypes.c_double, ctypes.c_double]

for x in (1.0, 8.0, 27.0, 64.0):
    print(f"cbrt({x:5.1f}) = {libm.cbrt(x):.6f}")

assert libm.hypot(3.0, 4.0) == 5.0
