# id: E04
# title: The host's ports can neither be taken nor seen to be taken
# expect: contained
# guards: seccomp landlock namespace.net
# control: seccomp => held landlock
# control: seccomp landlock => held namespace.net
# control: seccomp landlock namespace.net => escaped

import errno
import json
import socket
import sys

FACTS = json.loads(sys.argv[1])
server = None
try:
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.bind(("127.0.0.1", FACTS["host_port"]))
    print("CONTAINED: the port is free here, so it is not the host's")
except OSError as refusal:
    taken = refusal.errno == errno.EADDRINUSE
    print("ESCAPED: EADDRINUSE shows the host's port" if taken else f"CONTAINED: {errno.errorcode[refusal.errno]}")
