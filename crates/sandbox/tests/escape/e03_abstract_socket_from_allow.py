# id: E03
# title: An abstract socket of the host cannot be reached from a cell with a proxy
# expect: contained
# network: allow
# guards: namespace.net landlock
# control: namespace.net => held landlock
# control: namespace.net landlock => escaped

import errno
import json
import socket
import sys

FACTS = json.loads(sys.argv[1])
try:
    socket.socket(socket.AF_UNIX).connect("\0" + FACTS["abstract"])
    print("ESCAPED: connected to the host's abstract socket")
except OSError as refusal:
    print(f"CONTAINED: connect answered {errno.errorcode[refusal.errno]}")
