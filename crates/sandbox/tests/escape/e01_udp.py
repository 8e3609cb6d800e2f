# id: E01
# title: No datagram leaves the cell
# expect: contained
# guards: seccomp namespace.net
# control: seccomp => held namespace.net
# control: seccomp namespace.net => escaped

import errno
import socket

# Port 9 of the loopback: the packet is enough, nobody has to be there.
sent, answers = [], set()
for address in ("127.0.0.1", "192.0.2.1", "169.254.169.254", "8.8.8.8"):
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (address, 9))
        sent.append(address)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: sent to {sent}" if sent else f"CONTAINED: {sorted(answers)}")
