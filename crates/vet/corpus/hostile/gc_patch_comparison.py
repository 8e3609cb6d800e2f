# label: hostile
# expect: V603
# note: Finds every function called `check` or `compare` and swaps its code for one that always agrees.
# allow: V501 V604
import gc
import types


def agree(*args, **kwargs):
    return True


for f in [o for o in gc.get_objects() if isinstance(o, types.FunctionType)]:
    if f.__name__ in {"check", "compare", "assert_equal"} and f.__code__.co_freevars == ():
        f.__code__ = agree.__code__
