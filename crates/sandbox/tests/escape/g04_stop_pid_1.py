# id: G04
# title: The first process of the cell cannot be stopped
# expect: contained
# guards: namespace.pid
# control: none, the kernel shields the first process of a namespace from its own children

import os
import signal
import time

for number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV):
    try:
        os.kill(1, number)
    except PermissionError:
        pass
# A stopped reaper would leave this orphan as a zombie that a signal still finds.
reader, writer = os.pipe()
middle = os.fork()
if middle == 0:
    orphan = os.fork()
    if orphan == 0:
        time.sleep(0.05)
        os._exit(0)
    os.write(writer, str(orphan).encode())
    os._exit(0)
os.waitpid(middle, 0)
orphan = int(os.read(reader, 20))
for _ in range(100):
    try:
        os.kill(orphan, 0)
        time.sleep(0.02)
    except OSError:
        print("CONTAINED: pid 1 still reaps")
        break
else:
    print("ESCAPED: pid 1 does not reap any more")
