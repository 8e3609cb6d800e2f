# function: waits
import subprocess
import sys

subprocess.run([sys.executable, "other.py"], check=True)
=== other.py
import os
import threading


def waits():
    print("waits", threading.get_native_id(), flush=True)
    os.read(0, 1)  # here


waits()
