# label: benign
# expect: V301
# note: Resolves names given on the command line; a lookup is a network act too.
import socket
import sys

for host in sys.argv[1:] or ["example.org"]:
    try:
        infos = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except socket.gaierror as e:
        print(f"{host}: {e}")
        continue
    for addr in sorted({i[4][0] for i in infos}):
        print(f"{host}: {addr}")
