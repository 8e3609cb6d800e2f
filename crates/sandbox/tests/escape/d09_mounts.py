# id: D09
# title: The table of mounts names no mount of the host
# expect: contained
# guards: root
# control: root => escaped
# works: after the step is dropped the host's own mounts are listed

import errno

HOST = {"sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "bpf", "devpts", "configfs", "fusectl"}
try:
    with open("/proc/self/mountinfo") as file:
        lines = [line.split() for line in file]
    kinds = {line[line.index("-") + 1] for line in lines}
    places = [line[4] for line in lines]
    strange = sorted(kinds & HOST) + [p for p in places if "old" in p.rsplit("/", 1)[-1]]
    print(f"ESCAPED: mounts of kinds {strange}" if strange else f"CONTAINED: {len(places)} mounts of kinds {sorted(kinds)}")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode[refusal.errno]}")
