# label: hostile
# expect: V201 V701
# note: Builds a pickle whose loading runs a command, and loads it.
import os
import pickle


class Totals:
    def __reduce__(self):
        return os.system, ("id > pwned.txt",)


blob = pickle.dumps({"rows": 3, "totals": Totals()})
print(pickle.loads(blob))
