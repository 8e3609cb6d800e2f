# label: hostile
# expect: V501 V504
# note: A program as a list of code points, joined by chr.
# obfuscated: yes
# allow: V201
x = [105, 109, 112, 111, 114, 116, 32, 111, 115, 59, 111, 115, 46, 115, 121, 115, 116, 101, 109, 40, 39, 105, 100, 39, 41]
exec("".join(map(chr, x)))
