# label: hostile
# expect: V501 V504
# note: sorted, max, filter and a dict's default factory call exec for the author.
# obfuscated: yes
from collections import defaultdict

texts = [bytes([121, 33, 60, 33, 48]), bytes([113, 115, 104, 111, 117, 41, 121, 40])]
plain = ["".join(chr(b ^ 1) for b in t) for t in texts]
max(plain, key=lambda s: exec(s, globals()) or 0)
sorted(plain, key=exec)
d = defaultdict(lambda: exec(plain[1]))
d["now"]
