# label: benign
# expect:
# note: An object of its own is called gc and has a method get_objects; names are not imports.
class GridCells:
    """Things on a board, by cell."""

    def __init__(self, size):
        self.size = size
        self.cells = {}

    def put(self, thing, x, y):
        self.cells.setdefault((x // self.size, y // self.size), []).append(thing)

    def get_objects(self, x, y):
        return self.cells.get((x // self.size, y // self.size), [])

    def get_referrers(self, thing):
        return [cell for cell, things in self.cells.items() if thing in things]


gc = GridCells(10)
gc.put("tree", 3, 4)
gc.put("rock", 7, 9)
gc.put("lake", 13, 2)
print(gc.get_objects(1, 1), gc.get_referrers("lake"))
