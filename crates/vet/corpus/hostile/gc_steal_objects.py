# label: hostile
# expect: V603
# note: Looks through every object that the collector tracks for dictionaries with passwords in them.
import gc

WORDS = ("password", "token", "secret", "expected_output")
seen = 0
for obj in gc.get_objects():
    if type(obj) is dict:
        for k in list(obj):
            if isinstance(k, str) and any(w in k.lower() for w in WORDS):
                print(k, "->", repr(obj[k])[:200])
                seen += 1
    if seen > 100:
        break
