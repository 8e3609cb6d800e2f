# label: hostile
# expect: V902
# note: A width in a format string asks for a string of ten billion spaces; no multiplication to see.
name = "x"
print(len("{:>10000000000}".format(name)))
print(f"{name:*^8589934592}"[:10])
