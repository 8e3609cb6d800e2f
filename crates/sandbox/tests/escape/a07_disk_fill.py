# id: A07
# title: Many files together cannot exceed the disk limit
# expect: contained
# limits: memory=128M disk=8M wall=10s
# guards: scratch
# control: scratch => escaped

import errno
import json
import os
import sys
import tempfile

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["disk"]

written = 0
stop = "nothing"
with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
    try:
        while written < 2 * LIMIT:
            with open(f"{folder}/{written}", "wb", buffering=0) as file:
                written += file.write(b"\x01" * (128 << 10))
    except OSError as refusal:
        stop = errno.errorcode[refusal.errno]
print(f"ESCAPED: wrote {written} bytes" if written > LIMIT else f"CONTAINED: {stop} at {written} bytes")
