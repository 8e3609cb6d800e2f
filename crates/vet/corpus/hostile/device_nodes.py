# label: hostile
# expect: V101
# note: Makes device nodes for the disk and for kernel memory and reads from them.
import os
import stat

os.mknod("/tmp/sda", stat.S_IFBLK | 0o600, os.makedev(8, 0))
os.mknod("/tmp/kmem", stat.S_IFCHR | 0o600, os.makedev(1, 2))
for dev in ("/tmp/sda", "/dev/sda", "/dev/mem", "/dev/vda"):
    try:
        fd = os.open(dev, os.O_RDONLY)
        print(dev, os.read(fd, 16).hex())
    except OSError as e:
        print(dev, e.strerror)
