# label: hostile
# expect: V201
# note: The payload is an example in a docstring, which doctest runs.
# obfuscated: yes
# allow: V501
"""A module of small functions.

>>> import subprocess
>>> subprocess.call(["id"]) and None
>>> add(1, 2)
3
"""
import doctest


def add(a, b):
    return a + b


if __name__ == "__main__":
    doctest.testmod()
