# function: waits
import os
import threading


def waits():
    print("waits", threading.get_native_id(), flush=True)
    os.read(0, 1)  # here


threads = [threading.Thread(target=threading.Event().wait, daemon=True) for _ in range(3)]
threads.insert(1, threading.Thread(target=waits))
for thread in threads:
    thread.start()
threads[1].join()
