# id: F05
# title: The load of the host cannot be read from /proc
# expect: contained
# guards: proc root landlock
# control: proc => escaped

import os

seen = []
for name in "loadavg stat meminfo vmstat interrupts schedstat diskstats pressure/cpu cpuinfo version cmdline".split():
    try:
        with open(f"/proc/{name}") as file:
            file.read(1) and seen.append(name)
    except OSError:
        pass
print(f"ESCAPED: {seen}" if seen else "CONTAINED: none of them can be read")
