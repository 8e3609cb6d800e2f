# id: E04
# title: Low ports of a private network cannot be taken
# expect: contained
# network: loopback
# guards: capabilities
# control: none, a kernel may allow them to everybody in a namespace
# works: to have one would harm nobody, as the network is private

import errno
import socket

try:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).bind(("127.0.0.1", 80))
    print("CONTAINED: port 80 of the private network was taken")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode[refusal.errno]}")
