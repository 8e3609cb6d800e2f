# label: benign
# expect:
# note: Generators with `while True: yield` are lazy, so the loop is driven by its consumer.
from itertools import islice


def fib():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


def primes():
    found = []
    n = 2
    while True:
        if all(n % p for p in found if p * p <= n):
            found.append(n)
            yield n
        n += 1


print(list(islice(fib(), 20)))
print(list(islice(primes(), 20)))
