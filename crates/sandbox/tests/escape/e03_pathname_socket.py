# id: E03
# title: A socket of the host with a path cannot be reached
# expect: contained
# guards: root landlock
# control: root landlock => escaped
# works: Landlock scopes sockets with a path from its ABI 9 on

import errno
import json
import socket
import sys

FACTS = json.loads(sys.argv[1])
try:
    socket.socket(socket.AF_UNIX).connect(FACTS["unix_path"])
    print("ESCAPED: connected to the host's socket")
except OSError as refusal:
    print(f"CONTAINED: connect answered {errno.errorcode[refusal.errno]}")
