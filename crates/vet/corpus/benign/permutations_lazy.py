# label: benign
# expect:
# note: The same search over nine cities without a list; an iterator allocates nothing.
import itertools
import math

CITIES = {c: (ord(c) * 37 % 100, ord(c) * 91 % 100) for c in "ABCDEFGHI"}


def length(route):
    return sum(math.dist(CITIES[a], CITIES[b]) for a, b in zip(route, route[1:] + route[:1]))


first, *rest = CITIES
best = min(((first, *p) for p in itertools.permutations(rest)), key=length)
print("".join(best), round(length(best), 2))
print(sum(1 for _ in range(10**8) if False))
