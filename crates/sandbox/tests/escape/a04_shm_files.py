# id: A04
# title: Files in /dev/shm count against the disk limit
# expect: contained
# limits: memory=128M disk=8M wall=10s
# guards: scratch
# control: scratch => escaped

import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["disk"]

written = 0
names = []
stop = "nothing"
try:
    while written < 2 * LIMIT:
        names.append(f"/dev/shm/gambeson-{os.getpid()}-{len(names)}")
        with open(names[-1], "wb") as file:
            file.write(b"\x01" * (256 << 10))
        written += 256 << 10
except OSError as refusal:
    stop = f"{errno.errorcode[refusal.errno]} at {written} bytes"
for name in names:
    os.path.exists(name) and os.unlink(name)
print(f"ESCAPED: wrote {written} bytes" if written > LIMIT else f"CONTAINED: {stop}")
