# id: B06
# title: A crash leaves no core file
# expect: contained
# guards: rlimits
# control: rlimits => escaped
# works: RLIMIT_CORE is 0, soft and hard

import glob
import os
import resource
import signal

# Most hosts leave the soft limit at 0 and the hard one open: so raise it, then crash.
soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGSEGV)
_, status = os.waitpid(child, 0)
for name in glob.glob("core*"):
    os.unlink(name)
dumped = os.WCOREDUMP(status)
print(f"ESCAPED: RLIMIT_CORE is {hard}, dumped {dumped}" if dumped or hard else "CONTAINED: no core, RLIMIT_CORE is 0")
