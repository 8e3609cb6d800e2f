"""Prints what a cell needs of this interpreter, one `key<TAB>value` per line.

Runs outside any cell, on the host, once for each interpreter; the answer is kept.
"""

import importlib.util
import os
import sys
import sysconfig

# Extension modules whose shared libraries show where the host keeps such things.
PROBED = ("_ctypes", "_ssl", "_sqlite3", "_lzma", "_bz2", "zlib", "readline", "_curses", "pyexpat", "_decimal")


def shared_libraries():
    """The files mapped into this process."""
    for name in PROBED:
        try:
            __import__(name)
        except ImportError:
            pass
    with open("/proc/self/maps") as maps:
        for line in maps:
            path = line.split(maxsplit=5)[5:]
            if path and path[0].startswith("/") and ".so" in path[0]:
                yield path[0].rstrip("\n")


def program_interpreter(path):
    """The dynamic loader that an ELF file names (elf(5), PT_INTERP), or None."""
    with open(path, "rb") as file:
        head = file.read(64)
        if head[:4] != b"\x7fELF" or head[4] != 2:
            return None
        table = int.from_bytes(head[32:40], sys.byteorder)
        size = int.from_bytes(head[54:56], sys.byteorder)
        count = int.from_bytes(head[56:58], sys.byteorder)
        for index in range(count):
            file.seek(table + index * size)
            entry = file.read(size)
            if int.from_bytes(entry[:4], sys.byteorder) == 3:
                file.seek(int.from_bytes(entry[8:16], sys.byteorder))
                return os.fsdecode(file.read(int.from_bytes(entry[32:40], sys.byteorder)).rstrip(b"\0"))
    return None


def customisations():
    """Where `site` finds what the distribution adds at every start; Debian's is a link out of the library."""
    for name in ("sitecustomize", "usercustomize"):
        spec = importlib.util.find_spec(name)
        if spec and spec.origin:
            yield os.path.realpath(spec.origin)


def main():
    real = os.path.realpath(sys.executable)
    facts = [("version", sys.version.split()[0]), ("executable", sys.executable)]
    facts += [("prefix", p) for p in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)]
    facts += [("path", p) for p in sys.path]
    facts += [("path", sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    facts += [("library", os.path.dirname(path)) for path in shared_libraries()]
    facts += [("path", path) for path in customisations()]
    facts += [("loader", program_interpreter(real))]
    for key, value in dict.fromkeys(fact for fact in facts if fact[1]):
        if "\n" not in value and "\t" not in value:
            print(key, value, sep="\t")


if __name__ == "__main__":
    main()
