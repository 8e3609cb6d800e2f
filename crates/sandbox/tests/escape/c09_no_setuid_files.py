# id: C09
# title: There is no set-user-id file in the cell
# expect: contained
# guards: root
# control: root landlock => escaped

import os
import stat

found = []
for top in ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/usr/local/bin", "/opt"):
    for folder, _, names in os.walk(top):
        for name in names:
            try:
                mode = os.lstat(f"{folder}/{name}").st_mode
            except OSError:
                continue
            if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
                found.append(f"{folder}/{name}")
print(f"ESCAPED: {found[:4]}" if found else "CONTAINED: none is visible")
