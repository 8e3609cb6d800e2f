# label: benign
# expect: V902
# note: Lists all permutations of thirteen things for a brute-force route; the size hides in a factorial.
import itertools
import math

CITIES = {c: (ord(c) * 37 % 100, ord(c) * 91 % 100) for c in "ABCDEFGHIJKLM"}


def length(route):
    return sum(math.dist(CITIES[a], CITIES[b]) for a, b in zip(route, route[1:] + route[:1]))


routes = list(itertools.permutations(CITIES))
best = min(routes, key=length)
print("".join(best), round(length(best), 2))
