# id: B03
# title: /proc shows no process of another cell
# expect: contained
# guards: namespace.pid proc
# control: namespace.pid proc => escaped
# works: after the steps are dropped a process of root, or of the neighbour, is visible

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
foreign = []
for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
    if name.isdigit():
        try:
            owner = os.stat(f"/proc/{name}").st_uid
        except OSError:
            continue
        # The neighbour's uid has no name here, so that it shows as the overflow uid.
        if owner in (FACTS["bystander_uid"], 65534) and owner != os.getuid() and int(name) != 1:
            foreign.append(int(name))
print(f"ESCAPED: processes of others: {foreign[:5]}" if foreign else "CONTAINED: only my own processes are shown")
