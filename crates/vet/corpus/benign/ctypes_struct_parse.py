# label: benign
# expect: V401
# note: Uses ctypes structures to parse a binary header; no library is loaded and no function called.
import ctypes
import sys


class Header(ctypes.LittleEndianStructure):
    _pack_ = 1
    _fields_ = [
        ("magic", ctypes.c_char * 4),
        ("version", ctypes.c_uint16),
        ("flags", ctypes.c_uint16),
        ("count", ctypes.c_uint32),
    ]


with open(sys.argv[1], "rb") as f:
    head = Header.from_buffer_copy(f.read(ctypes.sizeof(Header)))

if head.magic != b"SMP1":
    raise SystemExit("not a sample file")
print(head.version, bin(head.flags), head.count)
