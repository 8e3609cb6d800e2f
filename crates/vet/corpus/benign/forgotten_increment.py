# label: benign
# expect: V901
# note: A beginner's loop that never ends because the counter is not increased; an honest mistake.
# allow: V903
# print the squares up to 100
n = 1
total = 0
while n <= 10:
    print(n, n * n)
    total = total + n * n

print("sum:", total)
