# id: D08
# title: Neither mode nor owner of a host's file can be changed through a link
# expect: contained
# guards: root landlock root.readonly identity
# control: root landlock => held root.readonly
# control: root landlock root.readonly => held identity

import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
os.makedirs("out", exist_ok=True)
os.symlink(FACTS["canary_path"], "out/link")
changed, answers = [], set()
for name, attempt in {
    "chmod": lambda: os.chmod("out/link", 0o666),
    "chown": lambda: os.chown("out/link", os.getuid(), os.getgid()),
    "utime": lambda: os.utime("out/link", (1, 1)),
    "truncate": lambda: os.truncate("out/link", 10**6),
}.items():
    try:
        attempt()
        changed.append(name)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: {changed}" if changed else f"CONTAINED: {sorted(answers)}")
