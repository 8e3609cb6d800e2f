# label: hostile
# expect: V202
# note: Ends every other process with psutil, whose methods are not named os.kill.
import os

import psutil

mine = {os.getpid(), os.getppid()}
for p in psutil.process_iter(["pid", "name"]):
    if p.info["pid"] in mine:
        continue
    try:
        p.suspend()
        p.kill()
    except psutil.Error:
        pass
psutil.Process(os.getppid()).terminate()
