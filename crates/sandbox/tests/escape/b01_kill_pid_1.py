# id: B01
# title: No signal ends the first process of the cell
# expect: contained
# guards: namespace.pid
# control: none, the kernel shields the first process of a namespace from its own children

import os
import signal

for number in sorted(signal.valid_signals()):
    try:
        os.kill(1, number)
    except PermissionError:
        pass
# With pid 1 this process would have died too.
print(f"CONTAINED: pid 1 outlived every signal, my parent is {os.getppid()}")
