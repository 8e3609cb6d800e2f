# id: D09
# title: The host's file cannot even be found
# expect: contained
# guards: root
# control: root => escaped
# works: Landlock does not hide names of files from stat

import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
try:
    size = os.stat(FACTS["canary_path"]).st_size
    print(f"ESCAPED: it exists and has {size} bytes")
except OSError as refusal:
    print(f"CONTAINED: stat answered {errno.errorcode[refusal.errno]}")
