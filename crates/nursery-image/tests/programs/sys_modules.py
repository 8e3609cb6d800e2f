import sys
for name in list(sys.modules):
    print(name, getattr(sys.modules[name], "__file__", None))
print(any("gambeson" in name for name in sys.modules))
