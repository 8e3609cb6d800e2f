import os
import threading

print("waits", threading.get_native_id(), flush=True)
print([
    name
    for name in ["a"]
    if os.read(0, 1) is None  # here
])
