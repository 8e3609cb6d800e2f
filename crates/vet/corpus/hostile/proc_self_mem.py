# label: hostile
# expect: V101 V103
# note: Writes to its own memory through /proc/self/mem, past the protections of the pages.
import re

maps = open("/proc/self/maps").read()
start, end = (int(x, 16) for x in re.search(r"([0-9a-f]+)-([0-9a-f]+) r-xp .*libc", maps).groups())
with open("/proc/self/mem", "r+b", buffering=0) as mem:
    mem.seek(start)
    head = mem.read(64)
    mem.seek(start)
    mem.write(head)
print(head[:4])
