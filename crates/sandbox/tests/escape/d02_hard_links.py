# id: D02
# title: A file of the interpreter or of the host cannot be linked into the output
# expect: contained
# collect: absent library.py
# collect: absent canary.txt
# guards: root landlock scratch
# control: root landlock => held scratch
# works: /work is a file system of its own, into which no link from outside leads

import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
os.makedirs("out", exist_ok=True)
linked, answers = [], set()
for source, name in ((os.__file__, "out/library.py"), (FACTS["canary_path"], "out/canary.txt")):
    try:
        os.link(source, name)
        linked.append(name)
        os.unlink(name)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: linked {linked}" if linked else f"CONTAINED: link answered {sorted(answers)}")
