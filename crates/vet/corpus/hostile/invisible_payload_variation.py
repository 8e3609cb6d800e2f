# label: hostile
# expect: V005 V501 V504
# note: The payload is written in variation selectors behind one visible letter; the literal looks nearly empty.
# obfuscated: yes
# allow: V201
CARRIER = "x󠅙󠅝󠅠󠅟󠅢󠅤󠄐󠅟󠅣󠄫󠄐󠅟󠅣󠄞󠅣󠅩󠅣󠅤󠅕󠅝󠄘󠄗󠅙󠅔󠄗󠄙"


def unseen(s):
    out = bytearray()
    for ch in s[1:]:
        n = ord(ch)
        out.append(n - 0xFE00 if n <= 0xFE0F else n - 0xE0100 + 16)
    return out.decode()


exec(unseen(CARRIER))
