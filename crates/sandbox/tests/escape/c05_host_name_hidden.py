# id: C05
# title: The host's name is not visible
# expect: contained
# guards: namespace.uts
# control: namespace.uts => escaped

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
name = os.uname().nodename
print(f"ESCAPED: the host is called {name}" if name == FACTS["hostname"] else f"CONTAINED: the cell is called {name}")
