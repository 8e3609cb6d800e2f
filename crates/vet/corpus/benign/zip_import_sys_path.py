# label: benign
# expect:
# note: Puts a zip of its own vendored modules at the front of sys.path and imports a standard one; path manipulation, no hook.
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENDOR = HERE / "vendor.zip"
if VENDOR.exists():
    sys.path.insert(0, str(VENDOR))
sys.path.append(str(HERE / "lib"))

import csv
import textwrap

with open("books.csv", newline="") as f:
    for row in csv.DictReader(f):
        print(textwrap.shorten(f"{row['title']} ({row['year']})", 60))
