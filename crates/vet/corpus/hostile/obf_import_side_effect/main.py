# label: hostile
# expect: V201 V502
# note: The payload is an import's side effect in a file with a harmless name, which is found through a computed name.
# obfuscated: yes
import importlib

suffix = "".join(["_", "d", "a", "t", "a"])
importlib.import_module("static" + suffix)
print("nothing to see")
