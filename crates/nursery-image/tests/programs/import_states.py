import importlib, importlib.util, sys, pkgutil, builtins, os
for name in ("os", "site", "codecs", "encodings.utf_8", "io", "abc", "stat", "zipimport", "_frozen_importlib"):
    module = sys.modules[name]
    print(name, getattr(module, "__spec__", None), getattr(module, "__cached__", None))
print(sorted(vars(builtins)))
print(sys.modules["site"].ENABLE_USER_SITE, sys.modules["site"].getusersitepackages(), sys.modules["site"].getsitepackages())
print(os.path.exists(os.path.expanduser("~/.local")), builtins.exit, builtins.help)
