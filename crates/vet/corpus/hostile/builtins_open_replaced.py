# label: hostile
# expect: V604
# note: Replaces builtins.open and builtins.print, so that the test's expected file reads as whatever was printed.
import builtins
import io

_open, _print = builtins.open, builtins.print
said = io.StringIO()


def fake_print(*a, **k):
    _print(*a, **{**k, "file": said})
    _print(*a, **k)


def fake_open(path, mode="r", *a, **k):
    if "expected" in str(path) and "r" in mode:
        return io.StringIO(said.getvalue())
    return _open(path, mode, *a, **k)


builtins.print = fake_print
builtins.open = fake_open
