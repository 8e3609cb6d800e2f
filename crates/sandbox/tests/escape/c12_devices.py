# id: C12
# title: Only harmless devices exist
# expect: contained
# guards: root
# control: none, the cell's own /dev stays when the root is dropped

import os
import stat

HARMLESS = {(1, 3), (1, 5), (1, 7), (1, 8), (1, 9)}
found = []
for folder, _, names in os.walk("/dev"):
    for name in names:
        try:
            about = os.stat(f"{folder}/{name}")
        except OSError:
            continue
        number = (os.major(about.st_rdev), os.minor(about.st_rdev))
        if stat.S_ISBLK(about.st_mode) or stat.S_ISCHR(about.st_mode) and number not in HARMLESS:
            # What the harness gives as stdin, a terminal even, is another case's matter.
            if not folder.endswith("/fd") and name not in ("stdin", "stdout", "stderr"):
                found.append(f"{folder}/{name}")
print(f"ESCAPED: {found[:5]}" if found else "CONTAINED: null zero full random urandom at most")
