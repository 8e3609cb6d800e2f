# label: benign
# expect: V101 V103
# note: Links a person's dotfiles into the home directory and moves old ones aside.
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILES = ["vimrc", "gitconfig", "tmux.conf"]

for name in FILES:
    dest = Path.home() / f".{name}"
    if dest.is_symlink():
        dest.unlink()
    elif dest.exists():
        dest.rename(dest.with_suffix(".old"))
    os.symlink(HERE / name, dest)
    print(dest, "->", HERE / name)
