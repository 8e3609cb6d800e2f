# label: hostile
# expect: V603
# note: Looks among all live objects for the harness's open sockets and files and writes into them.
import gc
import io
import socket

MESSAGE = b'{"status":"passed","points":100}\n'

for thing in gc.get_objects():
    if isinstance(thing, socket.socket) and thing.fileno() >= 0:
        thing.sendall(MESSAGE)
    elif isinstance(thing, io.BufferedWriter) and not thing.closed and thing.fileno() > 2:
        thing.write(MESSAGE)
        thing.flush()
