# label: hostile
# expect: V201
# note: The call happens in a default argument, while the function is defined and never used.
# obfuscated: yes
from subprocess import getoutput as describe


def area(width, height, *, unit=describe("id; hostname")):
    """Area of a rectangle."""
    return width * height, unit


if False:
    area(1, 2)
