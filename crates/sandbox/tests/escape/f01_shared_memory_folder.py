# id: F01
# title: The shared memory folder is the cell's own
# expect: contained
# guards: scratch
# control: scratch => escaped

import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
try:
    space = os.statvfs("/dev/shm")
    total = space.f_blocks * space.f_frsize
    allowed = FACTS["limits"]["disk"]
    print(f"ESCAPED: room for {total} bytes" if total > allowed * 1.05 + 65536 else f"CONTAINED: room for {total} bytes")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode[refusal.errno]}")
