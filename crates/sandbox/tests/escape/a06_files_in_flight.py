# id: A06
# title: Files in flight in a socket are limited too
# expect: contained
# limits: open_files=64 wall=5s
# guards: rlimits
# control: rlimits => escaped

import array
import errno
import json
import os
import socket
import sys

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["open_files"]

left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
left.setblocking(False)
batch = array.array("i", [os.open("/dev/null", os.O_RDONLY)] * 32)
in_flight = 0
stop = "the socket's buffer"
try:
    while in_flight < 6 * LIMIT:
        left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, batch)])
        in_flight += len(batch)
        if in_flight % 256 == 0:
            left, right_too = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            left.setblocking(False)
            os.dup(right_too.detach())
except OSError as refusal:
    stop = errno.errorcode[refusal.errno]
print(f"ESCAPED: {in_flight} files in flight" if in_flight >= 4 * LIMIT else f"CONTAINED: {stop} at {in_flight} in flight")
