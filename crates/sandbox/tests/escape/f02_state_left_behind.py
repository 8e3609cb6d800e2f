# id: F02
# title: A run leaves neither variables nor modules nor limits to the next one
# expect: contained
# distinct: yes
# guards: scratch
# control: none, a cell is used once

import builtins
import os
import resource
import signal
import sys
import uuid

found = []
if hasattr(builtins, "gambeson_residue") or "gambeson_residue" in sys.modules:
    found.append("module")
if "GAMBESON_RESIDUE" in os.environ:
    found.append("environment")
if signal.getitimer(signal.ITIMER_REAL) != (0.0, 0.0) or signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL:
    found.append("signals")
if resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 17 or os.umask(0o22) == 0o77:
    found.append("limits")
builtins.gambeson_residue = sys.modules["gambeson_residue"] = builtins
os.environ["GAMBESON_RESIDUE"] = "1"
signal.signal(signal.SIGUSR1, lambda number, frame: None)
signal.setitimer(signal.ITIMER_REAL, 60)
resource.setrlimit(resource.RLIMIT_NOFILE, (17, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
os.umask(0o77)
print(f"VALUE: {uuid.uuid4()}")
print(f"ESCAPED: found {found}" if found else "CONTAINED: nothing found")
