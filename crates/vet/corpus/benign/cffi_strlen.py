# label: benign
# expect: V401
# note: Declares strlen to cffi and calls it, as the first page of every introduction does.
from cffi import FFI

ffi = FFI()
ffi.cdef("size_t strlen(const char *);")
C = ffi.dlopen(None)

for word in (b"gambeson", b"mail", b""):
    print(word.decode() or "(empty)", C.strlen(word))
