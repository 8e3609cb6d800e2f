# id: D01
# title: An output folder that is a link to a host's folder yields nothing of it
# expect: contained
# collect: absent canary
# collect: absent canary.txt
# guards: root
# control: none, the case is about the collector

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
try:
    os.rmdir("out")
except OSError:
    pass
try:
    os.symlink(os.path.dirname(FACTS["canary_path"]), "out")
    print("CONTAINED: prepared")
except FileExistsError:
    print("CONTAINED: prepared, the folder could not be replaced")
