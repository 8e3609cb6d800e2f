# label: benign
# expect: V003
# note: A student's import with a typing error; no module of that name exists.
import maths
from colections import Counter

def circle(r):
    return maths.pi * r ** 2

print(circle(2))
print(Counter("mississippi").most_common(2))
