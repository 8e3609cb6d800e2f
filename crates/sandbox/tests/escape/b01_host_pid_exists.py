# id: B01
# title: It cannot even be found out whether a process of the host exists
# expect: contained
# guards: namespace.pid
# control: namespace.pid => escaped

import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
try:
    os.kill(FACTS["host_pid"], 0)
    print("ESCAPED: the host's process took signal 0")
except ProcessLookupError:
    print("CONTAINED: kill answered ESRCH")
except OSError as refusal:
    print(f"ESCAPED: the host's process exists, kill answered {errno.errorcode[refusal.errno]}")
