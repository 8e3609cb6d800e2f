# id: E01
# title: No datagram leaves the cell
# expect: contained
# guards: seccomp namespace.net
# control: seccomp => held namespace.net
# control: seccomp namespace.net => escaped

import errno
import socket

# Port 9: the packet is enough, nobody has to be there. Only the loopback is tried, so that the
# control sends nothing to anybody.
sent, answers = [], set()
for address in ("127.0.0.1", "127.1.2.3"):
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (address, 9))
        sent.append(address)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: sent to {sent}" if sent else f"CONTAINED: {sorted(answers)}")
