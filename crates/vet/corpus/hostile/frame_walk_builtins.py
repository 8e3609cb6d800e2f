# label: hostile
# expect: V602
# note: Climbs the frames of its callers to steal the checker's own variables.
import sys


def up():
    f = sys._getframe()
    while f.f_back is not None:
        f = f.f_back
        yield f


def solve(x):
    for frame in up():
        for key, value in frame.f_locals.items():
            if key in ("expected", "answer", "solution"):
                return value
    return frame.f_globals["EXPECTED"][x]
