# id: C13
# title: Neither /sys nor /proc/sys exists
# expect: contained
# guards: root proc
# control: root => escaped
# control: proc => escaped

import os

seen = []
for name in ("/sys/kernel", "/sys/class/net", "/sys/devices/system/cpu", "/proc/sys/kernel", "/proc/sys/net", "/proc/modules", "/proc/kallsyms"):
    try:
        os.listdir(name) if os.path.isdir(name) else open(name).close()
        seen.append(name)
    except OSError:
        pass
print(f"ESCAPED: {seen}" if seen else "CONTAINED: none of them can be read")
