# id: E01
# title: Nothing leaves a cell past its proxy: TCP, datagrams, metadata services, private networks, names
# expect: contained
# network: allow
# guards: namespace.net
# control: none, the control needs a host with a route

import errno
import os
import socket

for name in list(os.environ):
    if name.lower().endswith("_proxy"):
        del os.environ[name]
left, answers = [], set()


def attempt(what, act):
    try:
        act()
        left.append(what)
    except OSError as refusal:
        answers.add(errno.errorcode.get(refusal.errno, type(refusal).__name__))


def connect(family, address, port):
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(0.5)
        connection.connect((address, port))


def send(family, address, port):
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", (address, port))


for address in ("192.0.2.1", "8.8.8.8", "169.254.169.254", "100.100.100.200", "10.0.0.1", "192.168.0.1", "172.17.0.1"):
    attempt(f"TCP {address}", lambda: connect(socket.AF_INET, address, 80))
    attempt(f"UDP {address}", lambda: send(socket.AF_INET, address, 53))
for address in ("fd00:ec2::254", "2606:4700:4700::1111", "fe80::1", "ff02::1", "::ffff:8.8.8.8", "64:ff9b::a9fe:a9fe"):
    attempt(f"TCP {address}", lambda: connect(socket.AF_INET6, address, 80))
    attempt(f"UDP {address}", lambda: send(socket.AF_INET6, address, 53))
for kind, protocol in ((socket.SOCK_DGRAM, socket.IPPROTO_ICMP), (socket.SOCK_RAW, socket.IPPROTO_ICMP)):
    attempt("ICMP", lambda: socket.socket(socket.AF_INET, kind, protocol).sendto(b"\x08\0\0\0\0\0\0\0", ("8.8.8.8", 0)))
attempt("a name", lambda: socket.getaddrinfo("example.org", 443))
print(f"ESCAPED: {left}" if left else f"CONTAINED: {sorted(answers)}")
