# label: hostile
# expect: V902
# note: Four comprehensions whose sizes multiply; each by itself looks modest.
rows = 40_000
cols = 40_000
board = [[(r, c) for c in range(cols)] for r in range(rows)]
index = {(r, c): str(r * c) for r in range(rows) for c in range(cols)}
print(len(board), len(index))
