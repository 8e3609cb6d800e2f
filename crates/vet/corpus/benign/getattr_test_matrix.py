# label: benign
# expect: V503
# note: A test runs one method of each name over many classes by computed getattr.
import unittest
from collections import OrderedDict, UserDict, defaultdict


class MappingContract(unittest.TestCase):
    KINDS = [dict, OrderedDict, UserDict, lambda: defaultdict(int)]
    QUERIES = {"keys": ["a", "b"], "values": [1, 2], "items": [("a", 1), ("b", 2)]}

    def test_views_agree(self):
        for make in self.KINDS:
            m = make()
            m.update(a=1, b=2)
            for name, expected in self.QUERIES.items():
                with self.subTest(kind=type(m).__name__, query=name):
                    self.assertEqual(list(getattr(m, name)()), expected)


if __name__ == "__main__":
    unittest.main(verbosity=2)
