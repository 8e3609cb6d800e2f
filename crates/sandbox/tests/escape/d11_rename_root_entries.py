# id: D11
# title: No entry of the root can be moved away
# expect: contained
# guards: root.readonly landlock
# control: root.readonly => held landlock
# control: root.readonly landlock => escaped

import errno
import os

moved, answers = [], set()
for name in os.listdir("/") if os.access("/", os.R_OK) else ["etc", "usr", "lib", "bin"]:
    try:
        os.rename(f"/{name}", f"/{name}.moved")
        os.rename(f"/{name}.moved", f"/{name}")
        moved.append(name)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: moved {moved}" if moved else f"CONTAINED: {sorted(answers)}")
