# id: E04
# title: The host's ports are not those of a cell with a proxy
# expect: contained
# network: allow
# guards: namespace.net
# control: namespace.net => escaped

import errno
import json
import socket
import sys

FACTS = json.loads(sys.argv[1])
try:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).bind(("127.0.0.1", FACTS["host_port"]))
    print("CONTAINED: the port is free here, so it is not the host's")
except OSError as refusal:
    taken = refusal.errno == errno.EADDRINUSE
    print("ESCAPED: EADDRINUSE shows the host's port" if taken else f"CONTAINED: {errno.errorcode[refusal.errno]}")
