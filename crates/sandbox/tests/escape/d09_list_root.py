# id: D09
# title: The root folder shows nothing of the host
# expect: contained
# guards: root
# works: Landlock lets every folder be listed, so that the root is the only guard
# control: root => escaped

import errno
import os
import sys

HOST = {"home", "root", "boot", "srv", "media", "mnt", "var", "run", "sys"}
try:
    # The interpreter may live in a home; then the way to it is shown, and nothing beside it.
    way = {path.split("/")[1] for path in (sys.executable, sys.prefix, os.path.realpath(sys.executable))}
    seen = sorted((HOST - way) & set(os.listdir("/")))
    print(f"ESCAPED: the root shows {seen}" if seen else f"CONTAINED: the root shows {sorted(os.listdir('/'))}")
except OSError as refusal:
    print(f"CONTAINED: listdir answered {errno.errorcode[refusal.errno]}")
