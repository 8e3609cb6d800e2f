# id: A08
# title: fallocate cannot reserve more than the disk limit
# expect: contained
# limits: memory=128M disk=8M wall=10s
# guards: scratch rlimits
# control: scratch rlimits => escaped

import errno
import json
import os
import sys
import tempfile

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["disk"]

with tempfile.TemporaryFile(dir=os.getcwd()) as file:
    try:
        os.posix_fallocate(file.fileno(), 0, 2 * LIMIT)
        print(f"ESCAPED: reserved {os.fstat(file.fileno()).st_blocks * 512} bytes")
    except OSError as refusal:
        print(f"CONTAINED: {errno.errorcode[refusal.errno]}")
