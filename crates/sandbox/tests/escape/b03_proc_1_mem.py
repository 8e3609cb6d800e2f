# id: B03
# title: The memory of the cell's first process cannot be read through /proc
# expect: contained
# guards: not-dumpable landlock proc identity
# control: not-dumpable => held landlock
# control: not-dumpable landlock => held identity
# control: not-dumpable landlock identity => escaped
# works: who takes on another id stops being dumpable by that

import errno
import re

try:
    with open("/proc/1/maps") as maps:
        start = int(re.match("[0-9a-f]+", maps.read()).group(), 16)
    with open("/proc/1/mem", "rb", buffering=0) as memory:
        memory.seek(start)
        print(f"ESCAPED: read {memory.read(4)!r} of pid 1")
except AttributeError:
    print("CONTAINED: the map of pid 1 is empty")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode[refusal.errno]}")
