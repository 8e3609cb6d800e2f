# label: hostile
# expect: V902
# note: Builds a number with ten billion digits and a nested string product; the size hides in arithmetic.
a = 10 ** (10 ** 10)
b = "x" * (1 << 20) * (1 << 14)
c = list(range(10 ** 9)) * 8
print(len(b), len(c), a % 7)
