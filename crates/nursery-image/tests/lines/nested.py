# function: inner
import os
import threading


def outer():
    def inner():
        print("waits", threading.get_native_id(), flush=True)
        return os.read(0, 1)  # here

    return [None, inner()]


outer()
