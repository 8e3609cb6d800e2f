# id: B03
# title: Neither the working folder nor the open files of pid 1 lead to the host
# expect: contained
# guards: not-dumpable descriptors landlock proc identity
# control: not-dumpable => held landlock
# control: not-dumpable landlock => held identity
# control: not-dumpable landlock identity => escaped
# works: who takes on another id stops being dumpable by that

import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
answers = set()
found = []
for name in ["cwd", "root", "exe"] + [f"fd/{number}" for number in range(64)]:
    path = f"/proc/1/{name}"
    try:
        found.append(f"{name} -> {os.readlink(path)}")
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: {found}" if found else f"CONTAINED: {sorted(answers)}")
