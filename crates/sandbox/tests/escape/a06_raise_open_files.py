# id: A06
# title: The limit of open files cannot be raised from inside
# expect: contained
# limits: open_files=64 wall=5s
# guards: rlimits capabilities
# control: rlimits => escaped

import errno
import json
import os
import resource
import sys

FACTS = json.loads(sys.argv[1])
WANTED = FACTS["limits"]["open_files"] * 3

try:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < WANTED:
        resource.setrlimit(resource.RLIMIT_NOFILE, (WANTED, WANTED))
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (WANTED, hard))
    held = [os.dup(0) for _ in range(WANTED - 10)]
    print(f"ESCAPED: {len(held)} files open")
except (OSError, ValueError) as refusal:
    print(f"CONTAINED: {refusal}")
