# id: C07
# title: Bytes written to a pipe after splice do not reach the file they came from
# expect: contained
# guards: root.readonly
# control: none, only a kernel with the fault of CVE-2022-0847 would show it

import os

# A file of the interpreter's library: shared by every cell, read-only to all of them.
path = os.__file__
with open(path, "rb") as file:
    before = file.read(64)
    reader, writer = os.pipe()
    # Fill and empty the pipe once, so that its buffers carry the flag that they may be merged.
    for _ in range(16):
        os.write(writer, b"x" * 4096)
        os.read(reader, 4096)
    try:
        moved = os.splice(file.fileno(), writer, 1, offset_src=0)
    except (AttributeError, OSError):
        # sendfile into a pipe takes the same way through the kernel.
        moved = os.sendfile(writer, file.fileno(), 0, 1)
    os.write(writer, b"overwritten by the cell")
    file.seek(0)
    after = file.read(64)
print("ESCAPED: the library was changed" if after != before else f"CONTAINED: {moved} byte spliced, the file is unchanged")
