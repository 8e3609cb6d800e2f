# id: D10
# title: The files of name resolution cannot be written
# expect: contained
# guards: root.readonly landlock identity
# control: root.readonly landlock => held identity
# works: they may not exist, then they cannot be made

import errno
import os

opened, answers = [], set()
for name in ("/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/ld.so.preload", "/etc/ld.so.cache", "/etc/passwd"):
    try:
        os.close(os.open(name, os.O_WRONLY))
        opened.append(name)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: may write {opened}" if opened else f"CONTAINED: {sorted(answers)}")
