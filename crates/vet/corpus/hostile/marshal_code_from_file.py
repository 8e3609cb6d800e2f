# label: hostile
# expect: V501 V701
# note: Loads a code object from a data file and runs it; no source of it exists.
# allow: V504
import marshal
import types

with open("weights.dat", "rb") as f:
    f.seek(16)
    code = marshal.load(f)

types.FunctionType(code, {"__builtins__": __builtins__})()
