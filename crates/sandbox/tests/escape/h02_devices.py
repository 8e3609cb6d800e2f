# id: H02
# title: The harmless devices work
# expect: contained
# guards: root
# control: none, positive case

import os
import stat

with open("/dev/null", "w") as null:
    null.write("nothing")
assert open("/dev/zero", "rb").read(4) == b"\0\0\0\0"
assert len(open("/dev/urandom", "rb").read(16)) == 16
assert len(open("/dev/random", "rb").read(1)) == 1
try:
    os.write(os.open("/dev/full", os.O_WRONLY), b"x")
    raise AssertionError("full took a byte")
except OSError:
    pass
assert os.path.exists("/dev/fd/0") and stat.S_ISDIR(os.stat("/dev/shm").st_mode)
print("CONTAINED: works, null zero full random urandom")
