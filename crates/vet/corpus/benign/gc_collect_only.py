# label: benign
# expect:
# note: Collects garbage and disables the collector around a hot loop; no object is looked at.
import gc
import time


def hot(n):
    acc = []
    for i in range(n):
        acc.append((i, str(i)))
    return len(acc)


gc.collect()
gc.disable()
t = time.perf_counter()
hot(500_000)
off = time.perf_counter() - t
gc.enable()
gc.collect()
t = time.perf_counter()
hot(500_000)
on = time.perf_counter() - t
print(f"collector off {off:.3f}s, on {on:.3f}s", gc.get_count(), gc.get_threshold())
