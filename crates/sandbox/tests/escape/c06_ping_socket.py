# id: C06
# title: Echo requests reach no address of the host
# expect: contained
# guards: seccomp namespace.net
# control: none, a kernel lets nobody make one unless net.ipv4.ping_group_range says so

import errno
import socket
import struct

try:
    ping = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    ping.settimeout(1)
    ping.sendto(struct.pack("!BBHHH", 8, 0, 0, 0, 1), ("127.0.0.1", 0))
    print(f"ESCAPED: the host's loopback answered {len(ping.recv(100))} bytes")
except socket.timeout:
    print("CONTAINED: no answer")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode[refusal.errno]}")
