# id: C11
# title: The path of the cgroup does not tell where the cell lives
# expect: contained
# guards: namespace.cgroup proc
# control: namespace.cgroup => escaped

import errno

try:
    with open("/proc/self/cgroup") as file:
        paths = [line.rstrip("\n").split(":", 2)[2] for line in file]
    beyond = [path for path in paths if path not in ("/", "")]
    print(f"ESCAPED: {beyond[:3]}" if beyond else "CONTAINED: every path is /")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode[refusal.errno]}")
