# id: E01
# title: Other transports than TCP and UDP are refused
# expect: contained
# network: loopback
# guards: seccomp
# control: none, which of them a kernel has differs

import errno
import socket

SCTP, DCCP, UDPLITE, MPTCP, SMC = 132, 33, 136, 262, 0
made, answers = [], set()
for name, family, kind, protocol in (
    ("SCTP", socket.AF_INET, socket.SOCK_SEQPACKET, SCTP),
    ("DCCP", socket.AF_INET, 6, DCCP),
    ("raw IP", socket.AF_INET, socket.SOCK_RAW, 255),
    ("SMC", 43, socket.SOCK_STREAM, SMC),
):
    try:
        socket.socket(family, kind, protocol).close()
        made.append(name)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: {made}" if made else f"CONTAINED: {sorted(answers)}")
