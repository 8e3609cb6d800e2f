import threading

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

other = interpreters.create()
idle = interpreters.create()
print("waits", threading.get_native_id(), flush=True)
code = """
import os
os.read(0, 1)
"""
import os
os.read(0, 1)  # here
