# id: D01
# title: Links in the output are never followed out of it
# expect: contained
# collect: present plain.txt 5
# collect: absent absolute
# collect: absent relative
# collect: absent hop1
# collect: absent hop2
# collect: absent loop
# collect: absent memory
# collect: absent root/etc/passwd
# collect: absent dangling
# guards: root
# control: none, the case is about the collector

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
os.makedirs("out", exist_ok=True)
with open("out/plain.txt", "w") as file:
    file.write("plain")
for name, target in {
    "absolute": FACTS["canary_path"],
    "relative": "../" * 30 + FACTS["canary_path"].lstrip("/"),
    "hop1": "hop2",
    "hop2": FACTS["canary_path"],
    "loop": "loop",
    "memory": "/proc/self/environ",
    "root": "/",
    "dangling": "/nowhere",
}.items():
    os.symlink(target, f"out/{name}")
print("CONTAINED: prepared")
