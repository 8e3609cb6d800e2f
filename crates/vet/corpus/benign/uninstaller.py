# label: benign
# expect: V103
# note: An uninstaller that deletes what its own installer put under /opt and ~/.config; destructive outside by purpose.
# allow: V101
import os
import shutil
import sys

PREFIX = "/opt/acme-notes"
CONFIG = os.path.expanduser("~/.config/acme-notes")

if "--yes" not in sys.argv:
    answer = input(f"Remove {PREFIX} and {CONFIG}? [y/N] ")
    if answer.lower() != "y":
        sys.exit(1)

for path in (PREFIX, CONFIG):
    if os.path.isdir(path):
        shutil.rmtree(path)
        print("removed", path)

link = "/usr/local/bin/acme-notes"
if os.path.islink(link):
    os.unlink(link)
