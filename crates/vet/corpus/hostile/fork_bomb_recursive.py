# label: hostile
# expect: V203 V204
# note: A function that forks and calls itself in both halves, with no loop to be seen.
# allow: V901
import os


def grow(depth=0):
    os.fork()
    grow(depth + 1)


try:
    grow()
except RecursionError:
    grow()
