# label: hostile
# expect: V201 V601
# note: Finds os._wrap_close among the subclasses, takes its module's globals and calls system out of them.
# allow: V503
def find(name):
    return [k for k in object.__subclasses__() if k.__name__ == name][0]


wc = find("_wrap_close")
g = wc.__init__.__globals__
g["system"]("uname -a; id")
