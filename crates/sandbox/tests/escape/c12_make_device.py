# id: C12
# title: No device can be made
# expect: contained
# guards: seccomp capabilities namespace.user identity
# control: seccomp => held capabilities
# control: seccomp capabilities => held identity

import errno
import os
import stat

made, answers = [], set()
for name, kind, major, minor in (("null", stat.S_IFCHR, 1, 3), ("mem", stat.S_IFCHR, 1, 1), ("disk", stat.S_IFBLK, 8, 0)):
    try:
        os.mknod(name, kind | 0o666, os.makedev(major, minor))
        made.append(name)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: made {made}" if made else f"CONTAINED: mknod answered {sorted(answers)}")
