# id: D01
# title: An output folder that is itself a link yields nothing
# expect: contained
# collect: absent hostname
# collect: absent passwd
# collect: absent canary
# guards: root
# control: none, the case is about the collector

import json
import os
import shutil
import sys

FACTS = json.loads(sys.argv[1])
if os.path.isdir("out") and not os.path.islink("out"):
    try:
        shutil.rmtree("out")
    except OSError:
        os.rename("out", "moved")
os.symlink("/etc", "out")
print("CONTAINED: prepared")
