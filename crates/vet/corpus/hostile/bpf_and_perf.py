# label: hostile
# expect: V401 V402
# note: Probes bpf, perf_event_open, userfaultfd and keyctl by number and says which the kernel answers.
import ctypes, os, errno

calls = dict(bpf=321, perf_event_open=298, userfaultfd=323, keyctl=250, add_key=248, kcmp=312)
libc = ctypes.cdll.LoadLibrary("libc.so.6")
for name, nr in calls.items():
    ctypes.set_errno(0)
    rc = libc.syscall(nr, 0, 0, 0, 0, 0)
    print(f"{name:16} {rc:4} {os.strerror(ctypes.get_errno())}")
