# function: __del__
import os
import threading


class Last:
    def __del__(self):
        print("waits", threading.get_native_id(), flush=True)
        os.read(0, 1)  # here


last = Last()
del last
