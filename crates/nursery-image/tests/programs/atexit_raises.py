import atexit
def bad(): raise RuntimeError("at the end")
atexit.register(print, "after")
atexit.register(bad)
