# label: hostile
# expect: V201 V502 V503
# note: Reaches builtins by a dictionary lookup and everything by __dict__ with joined keys.
# obfuscated: yes
# allow: V504
b = globals()["__buil" + "tins__"]
d = b if isinstance(b, dict) else b.__dict__
imp = d["__imp" + "ort__"]
o = imp("o" + "s").__dict__
o["sys" + "tem"]("hostname")
