# id: D10
# title: Neither interpreter nor library can be replaced or changed
# expect: contained
# guards: root.readonly landlock identity
# control: root.readonly landlock => held identity

import errno
import json
import os
import sys

changed, answers = [], set()
for path in (os.path.realpath(sys.executable), os.__file__, json.__file__):
    for name, attempt in {
        "open": lambda: os.close(os.open(path, os.O_WRONLY)),
        "append": lambda: open(path, "ab").close(),
        "unlink": lambda: os.unlink(path + ".gambeson-no-such-file"),
        "chmod": lambda: os.chmod(path, 0o777),
        "rename": lambda: os.rename(path, path + ".old"),
    }.items():
        try:
            attempt()
            changed.append(f"{name} {path}")
        except FileNotFoundError:
            pass
        except OSError as refusal:
            answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: {changed}" if changed else f"CONTAINED: {sorted(answers)}")
