# id: H02
# title: Mapping files and memory works
# expect: contained
# guards: scratch
# control: none, positive case

import mmap

with open("mapped", "w+b") as file:
    file.truncate(8192)
    with mmap.mmap(file.fileno(), 8192) as area:
        area[:5] = b"bytes"
        area.flush()
        area.resize(16384)
    file.seek(0)
    assert file.read(5) == b"bytes"
anonymous = mmap.mmap(-1, 1 << 20)
anonymous.madvise(mmap.MADV_DONTNEED)
print("CONTAINED: works, file and memory")
