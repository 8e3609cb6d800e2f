import os
v = os.statvfs("/work")
print(v.f_blocks - v.f_bfree, v.f_files - v.f_ffree, os.stat("/work/scratch_usage.py").st_ino, os.stat("/work").st_ino, os.stat("/tmp").st_ino)
