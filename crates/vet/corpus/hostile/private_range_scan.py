# label: hostile
# expect: V203 V303
# note: Scans the neighbours of a private network for open ports with a pool of threads.
# allow: V301
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor

PORTS = (22, 80, 443, 2375, 5432, 6379, 9200, 10250)


def probe(target):
    host, port = target
    s = socket.socket()
    s.settimeout(0.3)
    try:
        if s.connect_ex((str(host), port)) == 0:
            return f"{host}:{port}"
    finally:
        s.close()


targets = [(h, p) for h in ipaddress.ip_network("10.0.0.0/24").hosts() for p in PORTS]
with ThreadPoolExecutor(200) as pool:
    for hit in filter(None, pool.map(probe, targets)):
        print(hit)
