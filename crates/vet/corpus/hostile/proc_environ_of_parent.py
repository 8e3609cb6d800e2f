# label: hostile
# expect: V101 V801
# note: Reads the environment and the command line of every process that /proc shows.
import os

for pid in filter(str.isdigit, os.listdir("/proc")):
    for what in ("cmdline", "environ"):
        try:
            with open(f"/proc/{pid}/{what}", "rb") as f:
                print(pid, what, f.read().replace(b"\0", b" ")[:300])
        except OSError:
            pass
