# id: E02
# title: TCP Fast Open does not connect around the rules
# expect: contained
# guards: seccomp namespace.net
# control: seccomp => held namespace.net
# control: seccomp namespace.net => escaped
# works: Landlock does not see a connection that is made by sendto, as of its ABI 7

import errno
import json
import socket
import sys

FACTS = json.loads(sys.argv[1])
MSG_FASTOPEN = 0x20000000
try:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.sendto(b"x", MSG_FASTOPEN, ("127.0.0.1", FACTS["host_port"]))
    print("ESCAPED: connected to the host's port")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode.get(refusal.errno, 'timeout')}")
