import os, fcntl, stat, sys
for name in sorted(os.listdir("/proc/self/fd"), key=int):
    try:
        link = os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        print(name, "the listing's own")
        continue
    fd = int(name)
    print(name, link.split(":")[0], fcntl.fcntl(fd, fcntl.F_GETFD), fcntl.fcntl(fd, fcntl.F_GETFL), stat.S_IFMT(os.fstat(fd).st_mode),
          fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ) if hasattr(fcntl, "F_GETPIPE_SZ") else "")
print(os.open("/dev/null", os.O_RDONLY), os.dup(0), os.get_inheritable(0), os.get_blocking(1), os.isatty(0))
print(sorted(os.listdir("/proc/self/fdinfo")) )
