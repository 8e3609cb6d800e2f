# id: E02
# title: No name can be resolved, so none can carry data out
# expect: contained
# guards: seccomp namespace.net
# control: none, the control needs a host with a resolver

import socket

try:
    found = socket.getaddrinfo("exfiltrated.data.example.com", 80)
    print(f"ESCAPED: resolved to {found[0][4]}")
except (socket.gaierror, OSError) as refusal:
    print(f"CONTAINED: {refusal}")
