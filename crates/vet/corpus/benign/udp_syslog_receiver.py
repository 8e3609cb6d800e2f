# label: benign
# expect: V302 V901
# note: Receives syslog datagrams on a high port and counts by severity.
import re
import socket
from collections import Counter

PRI = re.compile(rb"^<(\d{1,3})>")
counts = Counter()

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(("127.0.0.1", 5514))
    while True:
        data, addr = s.recvfrom(8192)
        m = PRI.match(data)
        if m:
            counts[int(m.group(1)) & 7] += 1
        if sum(counts.values()) % 100 == 0:
            with open("severity.txt", "w") as f:
                f.writelines(f"{k} {v}\n" for k, v in sorted(counts.items()))
