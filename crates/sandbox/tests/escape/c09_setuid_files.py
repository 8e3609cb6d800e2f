# id: C09
# title: No set-user-id bit counts in the cell
# expect: contained
# guards: root namespace.user no-new-privileges
# control: none, every mount of a cell is nosuid, whatever is dropped
# works: a folder of libraries may hold such a file, of terminal emulators for instance

import os
import stat

found, harmless = [], 0
for top in ("/bin", "/sbin", "/usr", "/opt", os.getcwd(), "/tmp"):
    for folder, _, names in os.walk(top):
        for name in names:
            try:
                about = os.lstat(f"{folder}/{name}")
                if not stat.S_ISREG(about.st_mode) or not about.st_mode & (stat.S_ISUID | stat.S_ISGID):
                    continue
                if os.statvfs(f"{folder}/{name}").f_flag & os.ST_NOSUID:
                    harmless += 1
                else:
                    found.append(f"{folder}/{name}")
            except OSError:
                continue
print(f"ESCAPED: {found[:4]}" if found else f"CONTAINED: {harmless} such files, all on nosuid mounts")
