# id: A07
# title: The work folder, /tmp and /dev/shm share one disk limit
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
        place = [os.getcwd(), "/tmp", "/dev/shm"][len(names) % 3]
        names.append(f"{place}/gambeson-{os.getpid()}-{len(names)}")
        with open(names[-1], "wb", buffering=0) as file:
            written += file.write(b"\x01" * (256 << 10))
except OSError as refusal:
    stop = errno.errorcode[refusal.errno]
for name in names:
    os.path.exists(name) and os.unlink(name)
print(f"ESCAPED: wrote {written} bytes" if written > LIMIT else f"CONTAINED: {stop} at {written} bytes")
