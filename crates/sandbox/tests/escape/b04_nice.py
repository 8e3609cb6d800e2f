# id: B04
# title: The cell cannot raise its own priority
# expect: contained
# guards: capabilities namespace.user rlimits identity
# control: capabilities => held identity

import errno
import os

before = os.getpriority(os.PRIO_PROCESS, 0)
try:
    os.setpriority(os.PRIO_PROCESS, 0, before - 5)
    print("ESCAPED: the priority was raised")
except OSError as refusal:
    print(f"CONTAINED: setpriority answered {errno.errorcode[refusal.errno]}")
