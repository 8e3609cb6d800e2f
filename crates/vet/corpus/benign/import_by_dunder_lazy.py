# label: benign
# expect: V502 V503
# note: A lazy module proxy that calls __import__ upon the first attribute access.
class Lazy:
    def __init__(self, name):
        self._name = name
        self._mod = None

    def __getattr__(self, attr):
        if self._mod is None:
            self._mod = __import__(self._name, fromlist=["*"])
        return getattr(self._mod, attr)


statistics = Lazy("statistics")
json = Lazy("json")

if __name__ == "__main__":
    print(statistics.median([3, 1, 2]))
    print(json.dumps({"lazy": True}))
