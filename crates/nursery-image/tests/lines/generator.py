# function: yields
import os
import threading


def yields():
    yield 1
    print("waits", threading.get_native_id(), flush=True)
    yield os.read(0, 1)  # here


def delegates():
    yield from yields()


for _ in delegates():
    pass
