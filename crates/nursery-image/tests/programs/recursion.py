import sys, threading
print(sys.getrecursionlimit(), threading.stack_size())
def count(n=0):
    try:
        return count(n + 1)
    except RecursionError:
        return n
print(count())
class R:
    def __repr__(self): return repr(self)
try:
    repr(R())
except RecursionError as error:
    print(type(error), error)
def nest():
    x = []
    for _ in range(200000): x = [x]
    return x
try:
    print(len(repr(nest())))
except RecursionError as error:
    print("repr", error)
result = []
thread = threading.Thread(target=lambda: result.append(count()))
thread.start(); thread.join()
print(result)
def f(): f()
f()
