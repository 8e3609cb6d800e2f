# label: hostile
# expect: V902
# note: Asks for sixteen gibibytes at once and touches every page.
SIZE = 16 << 30

block = bytearray(SIZE)
for i in range(0, SIZE, 4096):
    block[i] = 1
print(len(block))
