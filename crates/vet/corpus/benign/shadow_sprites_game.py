# label: benign
# expect:
# note: A game's files are called shadow, passwd and id_rsa as jokes of the level designer; all below the work directory.
from pathlib import Path

LEVELS = Path("levels")
SPRITES = {
    "hero": LEVELS / "hero.txt",
    "shadow": LEVELS / "etc" / "shadow",
    "door": LEVELS / "passwd.txt",
    "key": LEVELS / "keys" / "id_rsa.txt",
}


def load():
    art = {}
    for name, path in SPRITES.items():
        if path.exists():
            art[name] = path.read_text().splitlines()
        else:
            art[name] = ["?"]
    return art


for name, rows in load().items():
    print(name)
    print("\n".join("  " + r for r in rows))
