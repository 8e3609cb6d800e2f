# label: hostile
# expect: V501 V504
# note: A xor loop over a list of integers, with the key hidden as the length of a string.
# obfuscated: yes
# allow: V201
blob = [126, 122, 103, 120, 101, 99, 55, 120, 100, 29, 120, 100, 57, 100, 110, 100, 99, 114, 122, 63, 48, 114, 116, 127, 120, 55, 111, 120, 101, 48, 62]
key = len("the quick brown fox jum")
out = ""
for b in blob:
    out += chr(b ^ key)
exec(out)
