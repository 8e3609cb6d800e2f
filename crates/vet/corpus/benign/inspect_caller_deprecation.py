# label: benign
# expect: V602
# note: Warns about an old name and says who called, by inspect.currentframe.
import functools
import inspect
import warnings


def deprecated(instead):
    def wrap(fn):
        @functools.wraps(fn)
        def inner(*a, **k):
            caller = inspect.currentframe().f_back
            warnings.warn(
                f"{fn.__name__} is deprecated, use {instead} "
                f"(called from {caller.f_code.co_name}:{caller.f_lineno})",
                DeprecationWarning,
                stacklevel=2,
            )
            return fn(*a, **k)

        return inner

    return wrap


@deprecated("area")
def get_area(w, h):
    return w * h


def report():
    print(get_area(3, 4))


warnings.simplefilter("always")
report()
