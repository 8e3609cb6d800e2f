# label: benign
# expect: V603
# note: A test asserts that closing a connection leaves no instance behind.
import gc
import unittest


class Connection:
    def __init__(self):
        self.callbacks = [self.on_close]

    def on_close(self):
        pass

    def close(self):
        self.callbacks.clear()


def alive(kind):
    gc.collect()
    return sum(isinstance(o, kind) for o in gc.get_objects())


class NoLeak(unittest.TestCase):
    def test_closing_frees(self):
        before = alive(Connection)
        for _ in range(10):
            Connection().close()
        self.assertEqual(alive(Connection), before)


if __name__ == "__main__":
    unittest.main()
