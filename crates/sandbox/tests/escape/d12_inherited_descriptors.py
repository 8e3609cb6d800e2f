# id: D12
# title: No descriptor but the three is inherited
# expect: contained
# guards: descriptors
# control: descriptors => escaped
# works: the control needs a descriptor without CLOEXEC in the harness

import os

found = []
for number in range(3, 1024):
    try:
        about = os.fstat(number)
        found.append(f"{number} (mode {about.st_mode:o}, inode {about.st_ino})")
    except OSError:
        pass
print(f"ESCAPED: {found}" if found else "CONTAINED: EBADF for every other number")
