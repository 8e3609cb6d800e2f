# id: F02
# title: A run leaves no file to the next one
# expect: contained
# distinct: yes
# guards: scratch root
# control: none, a cell is used once

import os
import uuid

PLACES = sorted({os.getcwd(), "/tmp", "/dev/shm", "/var/tmp", os.path.expanduser("~"), "/work"})
found, left = [], []
for place in PLACES:
    name = os.path.join(place, "gambeson-residue")
    try:
        if os.path.lexists(name):
            found.append(name)
        with open(name, "w") as file:
            file.write("left behind")
        left.append(name)
    except OSError:
        pass
print(f"VALUE: {uuid.uuid4()}")
print(f"ESCAPED: found {found}" if found else f"CONTAINED: nothing found, left {len(left)} files for the next run")
