import tempfile, os
print(tempfile.gettempdir(), tempfile.tempdir, os.access("/dev/shm", os.W_OK))
with tempfile.NamedTemporaryFile() as f:
    f.write(b"x"); f.flush()
    print(os.path.dirname(f.name), oct(os.stat(f.name).st_mode), os.stat(f.name).st_uid)
for place in ("/work", "/tmp", "/dev/shm", "/work/tempfile_and_shm.py"):
    s = os.stat(place)
    print(place, oct(s.st_mode), s.st_uid, s.st_gid, s.st_nlink, s.st_size)
print(os.statvfs("/work")[:6] and (os.statvfs("/work").f_blocks, os.statvfs("/work").f_files))
print(sorted(os.listdir("/")), sorted(os.listdir("/work")), sorted(os.listdir("/tmp")), sorted(os.listdir("/dev")), sorted(os.listdir("/dev/shm")))
