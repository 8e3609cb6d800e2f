# label: hostile
# expect:
# note: Feeds a dictionary with colliding integers, so that a small loop takes quadratic time.
MERSENNE = (1 << 61) - 1
table = {}
for i in range(120_000):
    table[i * MERSENNE] = i
for i in range(120_000):
    assert (i * MERSENNE) in table
print(len(table))
