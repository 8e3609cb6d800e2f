# id: C06
# title: A private network gives no netlink socket either
# expect: contained
# network: loopback
# guards: seccomp
# control: seccomp => escaped

import errno
import socket

NETLINK_XFRM = 6
made = []
answers = set()
for protocol in (0, NETLINK_XFRM, 12):
    try:
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        made.append(protocol)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: netlink protocols {made}" if made else f"CONTAINED: socket answered {sorted(answers)}")
