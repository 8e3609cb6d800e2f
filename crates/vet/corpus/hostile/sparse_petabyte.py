# label: hostile
# expect: V903
# note: A sparse file of a petabyte for the collector to read through, and a smaller one that is really allocated.
# allow: V902
import os

fd = os.open("result.bin", os.O_CREAT | os.O_RDWR, 0o644)
os.ftruncate(fd, 1 << 50)
os.close(fd)

fd = os.open("result2.bin", os.O_CREAT | os.O_RDWR, 0o644)
os.posix_fallocate(fd, 0, 500 * 1024**3)
os.close(fd)
