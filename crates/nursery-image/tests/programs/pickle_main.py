import pickle, copy, sys
class Point:
    def __init__(self, x): self.x = x
    def __eq__(self, other): return self.x == other.x
def f(x): return x + 1
data = pickle.dumps([Point(1), f, Point])
print(data)
back = pickle.loads(data)
print(back[0] == Point(1), back[1] is f, back[2] is Point, back[0].__class__.__module__)
print(copy.deepcopy(Point(3)).x)
