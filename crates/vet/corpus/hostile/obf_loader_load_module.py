# label: hostile
# expect: V201
# note: The module's own __loader__ imports what is asked, so that no import statement or function appears.
# obfuscated: yes
# allow: V502
m = __loader__.__class__
builtin = [k for k in type.mro(m)][0]
spec = __spec__
load = __builtins__.__loader__.load_module
load("posix").system("echo loaded")
