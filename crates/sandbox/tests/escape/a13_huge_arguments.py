# id: A13
# title: Arguments and environment larger than the kernel allows are refused
# expect: contained
# limits: memory=128M wall=10s
# guards: rlimits
# control: none, the kernel itself bounds them

import errno
import os

try:
    os.execve("/proc/self/exe", ["x"] + ["a" * 100000] * 400, {"B": "b" * 100000})
except OSError as refusal:
    print(f"CONTAINED: execve answered {errno.errorcode[refusal.errno]}")
