# id: C12
# title: Neither memory nor disks nor ports of the machine can be opened
# expect: contained
# guards: root landlock identity
# control: none, the cell's own /dev stays when the root is dropped

import errno
import os

NAMES = ["mem", "kmem", "port", "kcore", "loop0", "loop-control", "vda", "sda", "nvme0n1", "zram0", "nvram", "snapshot"]
opened, answers = [], set()
for name in NAMES:
    try:
        os.close(os.open(f"/dev/{name}", os.O_RDWR))
        opened.append(name)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: opened {opened}" if opened else f"CONTAINED: {sorted(answers)}")
