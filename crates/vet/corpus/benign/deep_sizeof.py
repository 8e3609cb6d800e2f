# label: benign
# expect: V603
# note: Measures the deep size of objects by following gc.get_referents.
import gc
import sys
import types

SKIP = (type, types.ModuleType, types.FunctionType)


def deep_size(*roots):
    seen, todo, total = set(), list(roots), 0
    while todo:
        fresh = []
        for o in todo:
            if id(o) in seen or isinstance(o, SKIP):
                continue
            seen.add(id(o))
            total += sys.getsizeof(o)
            fresh.append(o)
        todo = gc.get_referents(*fresh)
    return total


table = {n: [str(n)] * 10 for n in range(1000)}
print(f"{deep_size(table) / 1024:.0f} KiB in {len(table)} rows")
