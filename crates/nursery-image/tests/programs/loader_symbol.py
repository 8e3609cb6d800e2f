import ctypes, os
libc = ctypes.CDLL(None)
class Info(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("base", ctypes.c_void_p), ("symbol", ctypes.c_char_p), ("address", ctypes.c_void_p)]
info = Info()
print(libc.dladdr(ctypes.cast(libc.__libc_start_main, ctypes.c_void_p), ctypes.byref(info)), os.path.basename(info.name or b""))
