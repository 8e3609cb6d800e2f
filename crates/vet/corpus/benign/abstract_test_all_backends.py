# label: benign
# expect: V601
# note: A test that every storage backend, found among the subclasses, keeps the contract.
import abc
import unittest


class Store(abc.ABC):
    @abc.abstractmethod
    def put(self, k, v): ...

    @abc.abstractmethod
    def get(self, k): ...


class DictStore(Store):
    def __init__(self):
        self.d = {}

    def put(self, k, v):
        self.d[k] = v

    def get(self, k):
        return self.d[k]


class ListStore(Store):
    def __init__(self):
        self.pairs = []

    def put(self, k, v):
        self.pairs.append((k, v))

    def get(self, k):
        return next(v for key, v in reversed(self.pairs) if key == k)


class Contract(unittest.TestCase):
    def test_last_write_wins(self):
        for kind in Store.__subclasses__():
            with self.subTest(kind.__name__):
                s = kind()
                s.put("a", 1)
                s.put("a", 2)
                self.assertEqual(s.get("a"), 2)


unittest.main()
