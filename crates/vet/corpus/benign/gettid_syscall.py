# label: benign
# expect: V203 V401 V402
# note: Numbers its threads by gettid through syscall(2), an old trick for kernels' tools; raw, and harmless.
import ctypes
import platform
import threading

NR_GETTID = {"x86_64": 186, "aarch64": 178}[platform.machine()]
_libc = ctypes.CDLL(None)


def gettid():
    return _libc.syscall(NR_GETTID)


def report(n):
    print(f"worker {n} is kernel thread {gettid()}")


threads = [threading.Thread(target=report, args=(i,)) for i in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
