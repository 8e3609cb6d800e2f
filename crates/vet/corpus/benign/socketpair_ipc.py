# label: benign
# expect:
# note: A socketpair and a selector in one process; sockets without any network.
import selectors
import socket

a, b = socket.socketpair()
sel = selectors.DefaultSelector()
sel.register(b, selectors.EVENT_READ)

a.sendall(b"ping\n" * 3)
a.shutdown(socket.SHUT_WR)

got = b""
while not got.endswith(b"ping\n" * 3):
    for key, _ in sel.select(timeout=1):
        got += key.fileobj.recv(64)
print(got.decode().split())
sel.close()
a.close(), b.close()
