# id: E01
# title: No network interface but the loopback is visible
# expect: contained
# guards: namespace.net seccomp
# control: namespace.net seccomp => escaped

import errno
import socket

try:
    names = [name for _, name in socket.if_nameindex()]
    found = [name for name in names if name != "lo"]
    print(f"ESCAPED: interfaces {found}" if found else f"CONTAINED: only {names}")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode[refusal.errno]}")
