# label: benign
# expect:
# note: Packs and unpacks with struct, array and memoryview; a comment says why ctypes was dropped.
# This used ctypes.Structure once; struct is faster here and works on PyPy.
import array
import struct

HEADER = struct.Struct("<4sHHI")


def write(path, values):
    body = array.array("f", values)
    with open(path, "wb") as f:
        f.write(HEADER.pack(b"SIG1", 1, 0, len(body)))
        body.tofile(f)


def read(path):
    with open(path, "rb") as f:
        magic, version, _, n = HEADER.unpack(f.read(HEADER.size))
        assert (magic, version) == (b"SIG1", 1)
        return memoryview(f.read(4 * n)).cast("f")


write("a.sig", [0.5, 1.5, 2.5])
print(list(read("a.sig")), "libfoo.so" in "a list of libraries: libfoo.so")
