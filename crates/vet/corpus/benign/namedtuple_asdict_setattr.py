# label: benign
# expect:
# note: Copies known fields with attribute access and a slots class; __dict__ and vars are only read as a whole.
class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __eq__(self, other):
        return self.__dict__ == other.__dict__

    def __repr__(self):
        inner = ", ".join(f"{k}={v!r}" for k, v in vars(self).items())
        return f"{type(self).__name__}({inner})"


p, q = Point(1, 2), Point(1, 2)
assert p == q and repr(p) == "Point(x=1, y=2)"
print(p, q)
