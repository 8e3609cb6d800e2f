# id: A08
# title: A sparse file of a pebibyte costs the collector nothing
# expect: contained
# limits: disk=8M wall=10s
# collect: absent huge.bin
# guards: scratch rlimits
# control: none, what counts is what the collector does with it

import errno
import os

os.makedirs("out", exist_ok=True)
sizes = []
for power in (50, 43, 40, 36):
    try:
        with open("out/huge.bin", "wb") as file:
            file.truncate(1 << power)
        sizes.append(str(1 << power))
        break
    except OSError as refusal:
        os.unlink("out/huge.bin")
        sizes.append(errno.errorcode[refusal.errno])
print("CONTAINED: prepared, truncate answered " + " ".join(sizes))
