# id: D16
# title: Nothing that later interpreters would load can be left behind
# expect: contained
# guards: root.readonly landlock identity
# control: root.readonly landlock => held identity

import errno
import importlib.util
import os
import site
import sys

here = os.path.dirname(os.path.abspath(__file__))
made, answers = [], set()
places = [p for p in sys.path if os.path.isdir(p) and os.path.abspath(p) != here] + site.getsitepackages()
places += [os.path.dirname(importlib.util.cache_from_source(os.__file__)), "/etc/python3", "/etc/profile.d"]
for place in places:
    for name in ("sitecustomize.py", "usercustomize.py", "gambeson.pth", "json.py"):
        path = os.path.join(place, name)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.unlink(path)
            made.append(path)
        except OSError as refusal:
            answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: made {made}" if made else f"CONTAINED: {sorted(answers)}")
