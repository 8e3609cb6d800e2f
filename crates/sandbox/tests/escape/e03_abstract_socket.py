# id: E03
# title: An abstract socket of the host cannot be reached
# expect: contained
# guards: namespace.net landlock
# control: namespace.net => held landlock
# control: namespace.net landlock => escaped

import errno
import json
import socket
import sys

FACTS = json.loads(sys.argv[1])
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    try:
        socket.socket(socket.AF_UNIX, kind).connect("\0" + FACTS["abstract"])
        print("ESCAPED: connected to the host's abstract socket")
        break
    except OSError as refusal:
        # The host's socket has one kind only; EPROTOTYPE says that it was found.
        answer = errno.errorcode[refusal.errno]
        if answer == "EPROTOTYPE":
            print("ESCAPED: the host's abstract socket was found")
            break
else:
    print(f"CONTAINED: connect answered {answer}")
