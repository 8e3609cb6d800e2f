import sys, ctypes, ctypes.util
print(sys.flags.dev_mode, ctypes.util.find_library("c") if False else "", sys._debugmallocstats is not None)
print(sys.getallocatedblocks() > 0, sys.getrefcount(object()), sys.intern("x") is sys.intern("x"))
print(sys.thread_info, sys.implementation, sys.float_repr_style)
b = bytearray(20 << 20)
print(len(b))
