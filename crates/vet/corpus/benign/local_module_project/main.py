# label: benign
# expect:
# note: Imports a neighbour file of its own project; a reader that does not read the files together says module missing.
from geometry.shapes import Square
from settings import SIDE

print(Square(SIDE).area())
