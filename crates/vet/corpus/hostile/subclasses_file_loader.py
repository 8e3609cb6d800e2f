# label: hostile
# expect: V101 V601
# note: Finds importlib's FileLoader among object's subclasses and reads a file with it, without open.
# allow: V102
def loaders():
    for cls in object.__subclasses__():
        if cls.__name__ == "_ModuleLock":
            continue
        for sub in type.__subclasses__(cls):
            if hasattr(sub, "get_data"):
                yield sub


for L in loaders():
    try:
        print(L("x", "/etc/passwd").get_data("/etc/passwd").decode())
        break
    except (OSError, TypeError):
        pass
