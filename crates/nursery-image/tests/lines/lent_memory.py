# function: starts
import os
import threading

os.mkfifo("fifo")


def starts():
    # The child opens it before it executes anything, in the memory of its parent, which waits; nobody writes.
    open_fifo = (os.POSIX_SPAWN_OPEN, 0, "fifo", os.O_RDONLY, 0)
    # Nobody else takes a number in this namespace.
    print("waits", threading.get_native_id() + 1, flush=True)
    os.posix_spawn("/bin/true", ["true"], {}, file_actions=[open_fifo])  # here


starts()
