# label: benign
# expect:
# note: Parses a log of strace; the names of system calls are words in a text.
import re
import sys
from collections import Counter

LINE = re.compile(r"^(?:\[pid\s+(\d+)\] )?(\w+)\((.*)\)\s+=\s+(-?\d+|0x[0-9a-f]+)(?: (E[A-Z]+))?")

calls, errors = Counter(), Counter()
for raw in sys.stdin:
    m = LINE.match(raw)
    if not m:
        continue
    _, syscall, args, result, errno = m.groups()
    calls[syscall] += 1
    if errno:
        errors[syscall, errno] += 1

for syscall, n in calls.most_common(20):
    print(f"{syscall:20} {n:8}")
print("ptrace seen" if calls["ptrace"] else "no ptrace", errors.most_common(3))
