# id: C06
# title: No netlink socket can be made
# expect: contained
# guards: seccomp
# control: seccomp => escaped

import errno
import socket

try:
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    netlink.bind((0, 0))
    print("ESCAPED: a netlink socket was made and bound")
except OSError as refusal:
    print(f"CONTAINED: socket answered {errno.errorcode[refusal.errno]}")
