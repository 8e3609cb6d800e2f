# id: F02
# title: A run finds no process but its own and the first
# expect: contained
# guards: namespace.pid
# control: none, a cell is used once

import os

# A fresh namespace counts from one: whoever has a high number had predecessors.
others = [pid for pid in range(2, 512) if pid != os.getpid() and os.path.exists(f"/proc/{pid}")]
fresh = os.getpid() < 64
print(f"ESCAPED: processes {others}" if others and fresh else f"CONTAINED: I am {os.getpid()}, no other is seen")
