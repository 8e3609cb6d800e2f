"""100,000 small file operations in the current directory, all cleaned up at the end.

Measures what a sandbox adds to system calls on files. An operation is one call of open,
write, close, stat, rename, unlink or listdir, made through `os`, so that open is one
system call and not the several of the built-in open(). Making and removing the scratch
directory is not counted.
"""

import os
import tempfile
import zlib
from collections import Counter

# Each file is visited often, since ext4 does not give out an inode again within seconds of
# its deletion (recently_deleted() in fs/ext4/ialloc.c): a program that mostly makes and
# deletes files would measure how ext4 searches past all those.
ROUNDS = 10
FILES = 86
VISITS = 23
OPERATIONS_PER_FILE = VISITS * len(("open", "write", "close", "stat", "rename")) + len(("unlink",))
LISTINGS = VISITS + 1
OPERATIONS = 100_000
EXPECTED = "bd68a36d"

assert ROUNDS * (FILES * OPERATIONS_PER_FILE + LISTINGS) == OPERATIONS


class Scratch:
    """A directory in which every operation is counted."""

    def __init__(self, directory):
        self.directory = directory
        self.done = Counter()

    def path(self, name):
        return f"{self.directory}/{name}"

    def append(self, name, data):
        descriptor = os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.done["open"] += 1
        written = os.write(descriptor, data)
        self.done["write"] += 1
        os.close(descriptor)
        self.done["close"] += 1
        assert written == len(data)

    def size(self, name):
        self.done["stat"] += 1
        return os.stat(self.path(name)).st_size

    def rename(self, old, new):
        self.done["rename"] += 1
        os.rename(self.path(old), self.path(new))

    def unlink(self, name):
        self.done["unlink"] += 1
        os.unlink(self.path(name))

    def names(self):
        self.done["listdir"] += 1
        return sorted(os.listdir(self.directory))


def names_at(visit):
    return [f"file-{file:03}-visit-{visit:02}.txt" for file in range(FILES)]


def run_round(scratch):
    """Leaves the directory as it found it: empty. Returns the checksum of what it saw."""
    checksum = 0
    for visit in range(VISITS):
        for file, (old, new) in enumerate(zip(names_at(visit), names_at(visit + 1))):
            data = b"x" * (file + 1)
            scratch.append(old, data)
            size = scratch.size(old)
            assert size == len(data) * (visit + 1), (old, size)
            scratch.rename(old, new)
            checksum = zlib.crc32(b"%d " % size, checksum)
        names = scratch.names()
        assert names == names_at(visit + 1), names
        checksum = zlib.crc32(" ".join(names).encode(), checksum)

    for name in names_at(VISITS):
        scratch.unlink(name)
    names = scratch.names()
    assert names == [], names
    return checksum


def main():
    with tempfile.TemporaryDirectory(prefix="files-", dir=".") as directory:
        scratch = Scratch(directory)
        checksums = {run_round(scratch) for _ in range(ROUNDS)}
    assert not os.path.exists(directory)
    assert sum(scratch.done.values()) == OPERATIONS, scratch.done
    assert len(checksums) == 1, "the rounds differ"

    checksum = f"{checksums.pop():08x}"
    assert checksum == EXPECTED, checksum
    print(f"checksum {checksum}")


if __name__ == "__main__":
    main()
