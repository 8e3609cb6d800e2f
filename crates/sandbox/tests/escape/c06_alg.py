# id: C06
# title: The kernel's cryptography cannot be reached by a socket
# expect: contained
# guards: seccomp
# control: none, not every kernel has the family
# works: AF_ALG and splice together were CVE-2026-31431

import errno
import socket

try:
    algorithm = socket.socket(38, socket.SOCK_SEQPACKET, 0)
    print("ESCAPED: a socket of AF_ALG was made")
except OSError as refusal:
    name = errno.errorcode[refusal.errno]
    # EAFNOSUPPORT would say that the kernel was asked and had to answer by itself.
    print(f"CONTAINED: socket answered {name}" if name == "EPERM" else f"ESCAPED: the kernel was asked, {name}")
