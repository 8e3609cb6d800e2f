# label: benign
# expect: V203 V302 V901
# note: A pre-forking server with four workers, each in an accept loop without end; forks in a bounded loop.
import os
import socket

WORKERS = 4

s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 8099))
s.listen(64)


def work():
    while True:
        c, _ = s.accept()
        with c:
            c.recv(4096)
            c.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello from %d\n" % os.getpid())


for _ in range(WORKERS):
    if os.fork() == 0:
        work()
for _ in range(WORKERS):
    os.wait()
