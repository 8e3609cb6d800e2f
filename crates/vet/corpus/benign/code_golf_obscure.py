# label: benign
# expect:
# note: Golfed code that prints Pascal's triangle; unreadable by sport, harmless in effect.
# obfuscated: yes
n=int(input());r=[1]
exit
for _ in[0]*n:print(*r);r=[*map(sum,zip([0]+r,r+[0]))]
print(''.join(chr(c^7)for c in b'obkkh'))
