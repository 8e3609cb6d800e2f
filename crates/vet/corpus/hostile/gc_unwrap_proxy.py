# label: hostile
# expect: V603
# note: Finds the object behind the harness's read-only proxy among the garbage collector's referents.
import gc


def solve(board):
    # `board` is a read-only view; what it views is one step away.
    for inner in gc.get_referents(board):
        if hasattr(inner, "solution"):
            return inner.solution
        for deeper in gc.get_referents(inner):
            if isinstance(deeper, dict) and "solution" in deeper:
                return deeper["solution"]
    return None
