# id: A04
# title: Bytes waiting in sockets are charged to the cell
# expect: limit_hit memory
# limits: memory=40M wall=10s open_files=2048
# guards: cgroup.memory
# control: cgroup.memory => escaped

import json
import socket
import sys

FACTS = json.loads(sys.argv[1])
LIMIT = FACTS["limits"]["memory"]

held = 0
pairs = []
stop = "nothing"
try:
    while held < 2 * LIMIT:
        pair = socket.socketpair()
        pairs.append(pair)
        for end in pair:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            end.setblocking(False)
            try:
                while True:
                    held += end.send(b"\x01" * (64 << 10))
            except BlockingIOError:
                pass
except OSError as refusal:
    stop = refusal.strerror
print("ESCAPED: survived" if held > LIMIT else f"CONTAINED: {stop} at {held} bytes")
