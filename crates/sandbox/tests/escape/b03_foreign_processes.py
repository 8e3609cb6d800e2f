# id: B03
# title: /proc shows no process of the host
# expect: contained
# guards: namespace.pid proc
# control: namespace.pid proc => escaped

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
try:
    seen = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
except OSError as refusal:
    seen = []
host = os.path.exists(f"/proc/{FACTS['host_pid']}")
print(f"ESCAPED: the host's process is among {len(seen)} in /proc" if host else f"CONTAINED: /proc shows {seen}")
