# label: hostile
# expect: V201 V901
# note: Starts processes by posix_spawn without end, an alley that rules for fork and Popen forget.
# allow: V203 V204
import itertools
import os

for n in itertools.cycle((1, 2, 3)):
    try:
        os.posix_spawn("/bin/sleep", ["sleep", str(n * 1000)], {})
    except OSError:
        continue
