import gc, sys
print(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.get_freeze_count(), gc.callbacks, gc.garbage)
gc.collect()
print(gc.get_freeze_count(), len(gc.get_stats()), gc.is_tracked({}))
class Node: pass
a, b = Node(), Node()
a.b, b.a = b, a
del a, b
print(gc.collect())
import weakref
n = Node(); n.me = n
r = weakref.ref(n, lambda _: print("gone"))
del n
gc.collect()
print(r())
