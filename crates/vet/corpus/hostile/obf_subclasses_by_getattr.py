# label: hostile
# expect: V503 V601
# note: The subclasses walk with all dunders computed, so that no attribute of that name appears in the text.
# obfuscated: yes
u = "_" * 2
cls = getattr((), u + "class" + u)
base = getattr(cls, u + "base" + u)
subs = getattr(base, u + "subclasses" + u)()
print([s for s in subs if s.__name__.endswith("Loader")])
