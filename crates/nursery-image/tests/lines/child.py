# function: in_child
import os
import threading


def in_child():
    print("waits", threading.get_native_id(), flush=True)
    os.read(0, 1)  # here


threading.Thread(target=threading.Event().wait, daemon=True).start()


def forks():
    child = os.fork()
    if child == 0:
        in_child()
        os._exit(0)
    os.waitpid(child, 0)


# From a thread: it is the only one in the child, and not the first one of the parent.
thread = threading.Thread(target=forks)
thread.start()
thread.join()
