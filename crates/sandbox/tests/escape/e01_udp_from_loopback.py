# id: E01
# title: No datagram leaves a private loopback
# expect: contained
# network: loopback
# guards: namespace.net
# control: none, the control needs a host with a route

import errno
import socket

sent, answers = [], set()
for address in ("192.0.2.1", "169.254.169.254", "8.8.8.8", "255.255.255.255", "224.0.0.251"):
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (address, 9))
        sent.append(address)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: sent to {sent}" if sent else f"CONTAINED: {sorted(answers)}")
