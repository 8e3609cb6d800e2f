# id: D11
# title: Moving files or their ancestors evades no rule
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
canary = FACTS["canary_path"]
moved, answers = [], set()
for name, attempt in {
    "rename": lambda: os.rename(canary, "canary"),
    "rename the folder": lambda: os.rename(os.path.dirname(canary), "canary-folder"),
    "link": lambda: os.link(canary, "canary-link"),
    "link, then read": lambda: os.symlink(canary, "canary-symlink") or open("canary-symlink").read(),
    "rename the scratch folder": lambda: os.rename("/tmp", "/tmp-moved"),
    "rename the library": lambda: os.rename(os.path.dirname(os.__file__), "library"),
}.items():
    try:
        attempt()
        moved.append(name)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: {moved}" if moved else f"CONTAINED: {sorted(answers)}")
