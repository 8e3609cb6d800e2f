# function: forks
import ctypes
import os

library = ctypes.PyDLL(None)
SYS_FORK = {"x86_64": 57}.get(os.uname().machine)


def forks():
    child = library.syscall(SYS_FORK)
    if child == 0:
        print("waits", library.getpid(), flush=True)
        os.read(0, 1)  # here
        os._exit(0)
    os.waitpid(child, 0)


forks()
