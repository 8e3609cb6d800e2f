import codecs, sys, encodings
print(sorted(encodings._cache), sorted(name for name in sys.modules if name.startswith("encodings")))
print("x".encode("utf-16"), "ä".encode("idna"), codecs.lookup("latin-1").name)
