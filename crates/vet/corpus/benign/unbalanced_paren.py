# label: benign
# expect: V001
# note: A parenthesis is never closed, so the error shows up lines later than its cause.
import math

points = [(0, 0), (3, 4), (6, 8)]
lengths = [math.dist(a, b) for a, b in zip(points, points[1:])
total = sum(lengths)
print("length:", total)
