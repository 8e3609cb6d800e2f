# id: D08
# title: Links left behind do not make the cleaner touch what they point to
# expect: contained
# guards: root
# control: none, that the canary is unchanged is seen from outside

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
folder = os.path.dirname(FACTS["canary_path"])
for place in (os.getcwd(), "/tmp", "/dev/shm"):
    for name, target in (("file", FACTS["canary_path"]), ("folder", folder), ("parent", "../" * 20 + folder.lstrip("/"))):
        os.symlink(target, f"{place}/gambeson-link-{os.getpid()}-{name}")
os.makedirs("closed/inner")
os.chmod("closed", 0)
print("CONTAINED: prepared")
