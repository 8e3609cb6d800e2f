# label: benign
# expect:
# note: A quine with chr and repr; self-reproducing text looks like a payload and only prints.
# obfuscated: yes
# A program that prints itself (without the comments), for lesson 9.
s = 's = %r\nprint(s %% s)'
print(s % s)

# And one with character codes, because quotes are a nuisance.
q = chr(39)
t = "t = {0}{1}{0}"
print(t.format(q, t), "".join(chr(i) for i in (58, 45, 41)))
