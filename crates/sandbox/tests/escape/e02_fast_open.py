# id: E02
# title: TCP Fast Open does not connect around the rules
# expect: contained
# guards: seccomp landlock namespace.net
# control: seccomp landlock => held namespace.net

import errno
import json
import socket
import sys

FACTS = json.loads(sys.argv[1])
MSG_FASTOPEN = 0x20000000
try:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        connection.sendto(b"x", MSG_FASTOPEN, ("127.0.0.1", FACTS["host_port"]))
    print("ESCAPED: connected to the host's port")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode.get(refusal.errno, 'timeout')}")
