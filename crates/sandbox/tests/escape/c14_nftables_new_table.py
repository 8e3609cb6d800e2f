# id: C14
# title: No table of the packet filter can be made
# expect: contained
# guards: seccomp capabilities identity
# control: seccomp => held capabilities
# control: seccomp capabilities => held identity

import errno
import socket
import struct

NETLINK_NETFILTER, REQUEST_ACK, NEWTABLE, INET = 12, 5, 10 << 8, 1


def message(kind, family, resource, body=b""):
    payload = struct.pack("!BBH", family, 0, resource) + body
    return struct.pack("=IHHII", 16 + len(payload), kind, REQUEST_ACK, 1, 0) + payload


name = struct.pack("=HH", 13, 1) + b"gambeson\0\0\0\0"
batch = message(16, 0, 10) + message(NEWTABLE, INET, 0, name) + message(17, 0, 10)
try:
    netfilter = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    netfilter.settimeout(1)
    netfilter.send(batch)
    code = struct.unpack_from("=i", netfilter.recv(4096), 16)[0]
    word = errno.errorcode.get(-code, "success")
    print("ESCAPED: the filter took the batch" if code == 0 else f"CONTAINED: the filter answered {word}")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode.get(refusal.errno, 'timeout')}")
