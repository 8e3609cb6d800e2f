# id: A07
# title: A deep tree of folders counts against the file limit and is cleaned up
# expect: contained
# limits: files=500 wall=10s
# guards: scratch
# control: scratch => escaped

import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["files"]

depth = 0
stop = "nothing"
try:
    while depth < LIMIT + 200:
        os.mkdir("deep")
        os.chdir("deep")
        depth += 1
except OSError as refusal:
    stop = errno.errorcode[refusal.errno]
if depth > LIMIT:
    for _ in range(depth):
        os.chdir("..")
        os.rmdir("deep")
# In the cell the tree stays: to remove it is the host's task.
print(f"ESCAPED: {depth} levels" if depth > LIMIT else f"CONTAINED: {stop} at {depth} levels")
