# id: A07
# title: Empty files cannot exceed the file limit
# expect: contained
# limits: files=500 wall=10s
# guards: scratch
# control: scratch => escaped

import errno
import json
import os
import sys
import tempfile

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["files"]

count = 0
stop = "nothing"
with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
    try:
        while count < LIMIT + 200:
            os.close(os.open(f"{folder}/{count}", os.O_CREAT | os.O_WRONLY))
            count += 1
    except OSError as refusal:
        stop = errno.errorcode[refusal.errno]
print(f"ESCAPED: {count} files" if count > LIMIT else f"CONTAINED: {stop} at {count} files")
