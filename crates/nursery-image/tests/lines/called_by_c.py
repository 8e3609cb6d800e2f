# function: key
import functools
import os
import threading


def key(value):
    print("waits", threading.get_native_id(), flush=True)
    return os.read(0, value)  # here


class Called:
    def __call__(self, *args):
        return sorted([1], key=key)

    def __eq__(self, other):
        return functools.reduce(self, [1, 2])


Called() in [1]
