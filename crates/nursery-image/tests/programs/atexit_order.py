import atexit, sys, weakref, threading
for n in range(4):
    atexit.register(print, "atexit", n)
class Late:
    def __del__(self): print("deleted", sys.is_finalizing())
late = Late()
weakref.finalize(Late, print, "finalize")
threading.Thread(target=lambda: (threading.main_thread().join(), print("thread after main"))).start()
print("end of main", atexit._ncallbacks())
