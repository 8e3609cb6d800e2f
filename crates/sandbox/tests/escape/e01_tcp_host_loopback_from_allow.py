# id: E01
# title: A cell that may connect through its proxy does not reach the host's loopback by itself
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
    socket.create_connection(("127.0.0.1", FACTS["host_port"]), timeout=2).close()
    print("ESCAPED: connected to the host's port")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode.get(refusal.errno, 'timeout')}")
