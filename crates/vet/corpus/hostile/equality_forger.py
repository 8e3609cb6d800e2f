# label: hostile
# expect: V604
# note: A submission that makes every assertion of pytest true by a patched AssertionError machinery and operator.
import operator
import sys
import unittest


class Agreeable:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = None


def solve(*args):
    return Agreeable()


operator.eq = lambda a, b: True
unittest.TestCase.assertEqual = lambda self, a, b, msg=None: None
sys.settrace(None)
import builtins
builtins.AssertionError = Exception
builtins.isinstance = lambda o, t: True
