import sys
print(sys.excepthook, sys.unraisablehook, sys.displayhook, sys.breakpointhook)
sys.excepthook = lambda kind, value, trace: print("hooked", kind, value, trace.tb_lineno, trace.tb_next)
class Bad:
    def __del__(self): raise RuntimeError("in del")
b = Bad()
del b
raise KeyError(1)
