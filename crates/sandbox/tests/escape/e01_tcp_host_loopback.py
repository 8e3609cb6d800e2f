# id: E01
# title: A port on the host's loopback cannot be reached
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
try:
    socket.create_connection(("127.0.0.1", FACTS["host_port"]), timeout=2).close()
    print("ESCAPED: connected to the host's port")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode.get(refusal.errno, 'timeout')}")
