# label: benign
# expect: V603
# note: Counts live objects by type to hunt a leak, the textbook use of gc.get_objects.
import gc
from collections import Counter


def census(top=10):
    gc.collect()
    return Counter(type(o).__name__ for o in gc.get_objects()).most_common(top)


def who_holds(obj):
    return [type(r).__name__ for r in gc.get_referrers(obj)]


class Node:
    def __init__(self):
        self.parent = None
        self.kids = []


nodes = [Node() for _ in range(500)]
for a, b in zip(nodes, nodes[1:]):
    a.kids.append(b)
    b.parent = a

print(census())
print(who_holds(nodes[0]))
