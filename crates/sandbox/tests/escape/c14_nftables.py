# id: C14
# title: The packet filter cannot be reached
# expect: contained
# guards: seccomp capabilities
# control: seccomp => escaped
# works: the control needs a kernel with nfnetlink; CVE-2024-1086 began there

import errno
import socket

NETLINK_NETFILTER = 12
try:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER).bind((0, 0))
    print("ESCAPED: a socket of the packet filter was made")
except OSError as refusal:
    print(f"CONTAINED: socket answered {errno.errorcode[refusal.errno]}")
