# label: benign
# expect: V102
# note: Lists the host aliases of the user's own ~/.ssh/config; a developer's convenience that touches a place of credentials.
# allow: V101
from pathlib import Path

cfg = Path.home() / ".ssh" / "config"
if not cfg.exists():
    raise SystemExit("no ssh config")
for line in cfg.read_text().splitlines():
    word, _, rest = line.strip().partition(" ")
    if word.lower() == "host":
        for alias in rest.split():
            if "*" not in alias:
                print(alias)
