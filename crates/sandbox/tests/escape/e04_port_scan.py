# id: E04
# title: A scan of ports finds none of the host's
# expect: contained
# network: loopback
# guards: namespace.net
# control: namespace.net => escaped

import json
import socket
import sys

FACTS = json.loads(sys.argv[1])
middle = FACTS["host_port"]
opened = []
for port in range(max(1, middle - 100), min(65536, middle + 100)):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            opened.append(port)
print(f"ESCAPED: open ports {opened}" if opened else "CONTAINED: two hundred ports refused")
