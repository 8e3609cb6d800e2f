# id: A04
# title: Reading and writing files cannot hold more memory than the disk limit gives
# expect: contained
# limits: memory=128M disk=8M wall=10s
# guards: scratch
# control: scratch => escaped

import errno
import json
import mmap
import os
import sys
import tempfile

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["disk"]

# Writing through mappings of unlinked files: no name shows what they hold.
held = 0
areas = []
stop = "nothing"
try:
    while held < 2 * LIMIT:
        with tempfile.TemporaryFile(dir=os.getcwd()) as file:
            os.posix_fallocate(file.fileno(), 0, 1 << 20)
            area = mmap.mmap(file.fileno(), 1 << 20)
        for offset in range(0, 1 << 20, mmap.PAGESIZE):
            area[offset] = 1
        areas.append(area)
        held += 1 << 20
except OSError as refusal:
    stop = errno.errorcode[refusal.errno]
print(f"ESCAPED: {held} bytes in unlinked files" if held > LIMIT else f"CONTAINED: {stop} at {held} bytes")
