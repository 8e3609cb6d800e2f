# id: D13
# title: The program that started the cell cannot be overwritten
# expect: contained
# guards: root.readonly landlock identity
# control: root.readonly landlock => held identity
# works: the shape of CVE-2019-5736

import errno
import os

opened, answers = [], set()
for name in ("/proc/self/exe", "/proc/1/exe", "/proc/thread-self/exe", f"/proc/{os.getppid()}/exe"):
    for flags in (os.O_WRONLY, os.O_RDWR | os.O_TRUNC):
        try:
            handle = os.open(name, os.O_PATH)
            os.close(os.open(f"/proc/self/fd/{handle}", flags))
            opened.append(name)
        except OSError as refusal:
            answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: may write {opened}" if opened else f"CONTAINED: {sorted(answers)}")
