# id: D10
# title: Nothing can be written beside the scratch folders
# expect: contained
# guards: root.readonly landlock
# control: root.readonly => held landlock
# control: root.readonly landlock => escaped

import errno
import os

made, answers = [], set()
for folder in ("/", "/etc", "/bin", "/usr", "/usr/bin", "/usr/lib", "/lib", "/dev", "/opt"):
    name = os.path.join(folder, f"gambeson-{os.getpid()}")
    try:
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        made.append(name)
        os.unlink(name)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: made {made}" if made else f"CONTAINED: {sorted(answers)}")
