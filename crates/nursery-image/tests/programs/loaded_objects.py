# what the loader has loaded (dl_iterate_phdr(3)).
import ctypes
class Info(ctypes.Structure):
    _fields_ = [("addr", ctypes.c_void_p), ("name", ctypes.c_char_p)]
names = []
@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Info), ctypes.c_size_t, ctypes.c_void_p)
def visit(info, size, data):
    names.append(info.contents.name)
    return 0
ctypes.CDLL(None).dl_iterate_phdr(visit, None)
for name in sorted(names): print(name)
