# id: C07
# title: Pages given away by vmsplice and tee stay copies
# expect: contained
# guards: root.readonly
# control: none, only a faulty kernel would show it

import ctypes
import errno
import mmap
import os

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


VMSPLICE, TEE, GIFT = 278, 276, 8

with open(os.__file__, "rb") as file:
    mapping = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)
    before = mapping[:64]
    reader, writer = os.pipe()
    other_reader, other_writer = os.pipe()
    source = (ctypes.c_size_t * 2)(id(before) + bytes.__basicsize__ - 1, 64)
    answers = [syscall(VMSPLICE, writer, source, 1, GIFT), syscall(TEE, reader, other_writer, 64, 2)]
    os.write(writer, b"overwritten by the cell")
    os.write(other_writer, b"overwritten by the cell")
    file.seek(0)
    after = file.read(64)
print("ESCAPED: the library was changed" if after != mapping[:64] or before != after else f"CONTAINED: {[a for _, a in answers]}, the file is unchanged")
