# label: benign
# expect: V801
# note: A test fixture saves the environment, clears it and restores it.
import contextlib
import os
import unittest


@contextlib.contextmanager
def only(**variables):
    saved = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


def colour():
    return os.environ.get("NO_COLOR") is None and os.environ.get("TERM", "dumb") != "dumb"


class Colour(unittest.TestCase):
    def test_dumb_terminals_are_plain(self):
        with only(TERM="dumb"):
            self.assertFalse(colour())

    def test_no_color_wins(self):
        with only(TERM="xterm", NO_COLOR="1"):
            self.assertFalse(colour())


unittest.main()
