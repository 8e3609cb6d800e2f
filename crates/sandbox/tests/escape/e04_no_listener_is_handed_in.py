# id: E04
# title: The socket that the proxy listens at is not among the program's descriptors
# expect: contained
# network: allow
# guards: descriptors
# control: none, the cell's first process lets go of it before there is a program

import os
import socket

found = []
for number in range(0, 1024):
    try:
        with socket.socket(fileno=os.dup(number)) as held:
            found.append((number, held.getsockname()))
    except OSError:
        pass
print(f"ESCAPED: {found}" if found else "CONTAINED: no descriptor is a socket")
