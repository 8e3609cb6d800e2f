# id: H02
# title: TCP and UDP work in a private loopback
# expect: contained
# network: loopback
# limits: pids=64
# guards: namespace.net
# control: none, positive case

import socket
import threading

server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=lambda: server.accept()[0].sendall(b"hello"), daemon=True).start()
with socket.create_connection(server.getsockname(), timeout=5) as client:
    assert client.recv(5) == b"hello"
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"datagram", receiver.getsockname())
assert receiver.recv(20) == b"datagram"
print("CONTAINED: works, TCP and UDP")
