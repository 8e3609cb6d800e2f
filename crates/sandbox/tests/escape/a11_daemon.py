# id: A11
# title: A daemon does not outlive the program that started it
# expect: contained
# limits: wall=5s
# guards: namespace.pid cgroup.pids
# control: namespace.pid => escaped

import os
import time

print("CONTAINED: the daemon is left to its fate", flush=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        # Its word would come after the verdict and so replace it.
        time.sleep(2)
        print("ESCAPED: the daemon outlived the program", flush=True)
    os._exit(0)
