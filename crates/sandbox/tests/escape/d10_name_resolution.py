# id: D10
# title: The files of name resolution cannot be written
# expect: contained
# guards: root.readonly landlock
# control: root.readonly => held landlock
# control: root.readonly landlock => escaped
# works: they may not exist, then they cannot be made

import errno
import os

opened, answers = [], set()
for name in ("/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/ld.so.preload", "/etc/ld.so.cache", "/etc/passwd"):
    try:
        # Whoever owns a file of mode 0444 would change the mode first.
        os.path.exists(name) and os.chmod(name, 0o644)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
    try:
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o644))
        opened.append(name)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: may write {opened}" if opened else f"CONTAINED: {sorted(answers)}")
