# id: A06
# title: No more files can be open than the limit allows
# expect: contained
# limits: open_files=64 wall=5s
# guards: rlimits
# control: rlimits => escaped

import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["open_files"]

held = []
stop = "nothing"
try:
    while len(held) < LIMIT + 50:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError as refusal:
    stop = errno.errorcode[refusal.errno]
print(f"ESCAPED: {len(held)} files open" if len(held) >= LIMIT else f"CONTAINED: {stop} at {len(held)} files")
