# label: benign
# expect: V603
# note: A memory report for a service: sizes by class through gc.get_objects and sys.getsizeof.
# allow: V602
import collections
import gc
import sys


def report(limit=8):
    sizes = collections.Counter()
    counts = collections.Counter()
    for o in gc.get_objects():
        name = type(o).__qualname__
        sizes[name] += sys.getsizeof(o, 0)
        counts[name] += 1
    for name, size in sizes.most_common(limit):
        yield name, counts[name], size


cache = {i: [0] * 100 for i in range(1000)}
for name, n, size in report():
    print(f"{name:20} {n:8} {size / 1024:10.1f} KiB")
