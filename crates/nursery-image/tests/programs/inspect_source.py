import inspect, linecache, sys, traceback
def f():
    # a comment
    return 1
class C:
    def m(self): return f
print(inspect.getsource(f), inspect.getsource(C), inspect.getsourcefile(f), inspect.getfile(C))
print(inspect.getsource(sys.modules["__main__"])[:20])
for frame in inspect.stack():
    print(frame.filename, frame.lineno, frame.function, frame.code_context)
frame = sys._getframe()
print(frame.f_back, frame.f_code.co_name, frame.f_code.co_filename)
traceback.print_stack()
print(f.__code__.co_filename, f.__module__, C.__module__, C.m.__qualname__)
