# label: hostile
# expect: V201 V601
# note: From type(()).__base__ to a loaded class whose globals hold builtins, with every dunder in a variable.
# obfuscated: yes
# allow: V502 V503
sub = type(()).__base__.__subclasses__()
w = [s for s in sub if "warning" in s.__name__.lower() and "catch" in s.__name__.lower()]
g = w[0]()._module.__builtins__
g = g if isinstance(g, dict) else vars(g)
g["__import__"]("os").system("echo escaped")
