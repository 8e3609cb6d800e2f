# label: hostile
# expect: V201 V503
# note: Takes modules out of sys.modules with computed keys instead of importing them.
# obfuscated: yes
# allow: V502
import sys

wanted = {"so"[::-1], "".join(("sub", "process"))}
found = [sys.modules[w] for w in wanted if w in sys.modules]
for m in found:
    for attr in ("run", "system"):
        f = m.__dict__.get(attr[:6])
        if f:
            f("id")
