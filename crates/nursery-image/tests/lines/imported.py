# function: größe_lesen
import importlib

importlib.import_module("paket.größe_🐍")

=== paket/__init__.py
=== paket/größe_🐍.py
import os
import threading


def größe_lesen():
    print("waits", threading.get_native_id(), flush=True)
    return os.read(0, 1)  # here


größe_lesen()
