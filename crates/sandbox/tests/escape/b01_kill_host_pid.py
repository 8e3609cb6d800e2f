# id: B01
# title: A process of the host cannot be signalled
# expect: contained
# guards: namespace.pid landlock identity
# control: namespace.pid => held landlock
# control: namespace.pid landlock => held identity
# control: namespace.pid landlock identity => escaped

import errno
import json
import os
import signal
import sys

FACTS = json.loads(sys.argv[1])
pid = FACTS["host_pid"]
try:
    # SIGCONT does nothing to a process that runs.
    os.kill(pid, signal.SIGCONT)
    print("ESCAPED: the host's process took a signal")
except OSError as refusal:
    print(f"CONTAINED: kill answered {errno.errorcode[refusal.errno]}")
