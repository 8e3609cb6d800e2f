# id: H02
# title: Unix sockets inside the cell work, descriptors pass through them
# expect: contained
# guards: seccomp landlock
# control: none, positive case

import array
import os
import socket

server = socket.socket(socket.AF_UNIX)
server.bind("\0gambeson-inside")
server.listen()
client = socket.socket(socket.AF_UNIX)
client.connect("\0gambeson-inside")
peer, _ = server.accept()
reader, writer = os.pipe()
client.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [writer]))])
_, ancillary, _, _ = peer.recvmsg(1, 64)
passed = array.array("i", ancillary[0][2][:4])[0]
os.write(passed, b"through")
assert os.read(reader, 7) == b"through"
print("CONTAINED: works, a descriptor was passed")
