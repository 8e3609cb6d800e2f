# label: hostile
# expect: V503
# note: eval taken from vars(__builtins__) by a key that is computed with a comprehension.
# obfuscated: yes
# allow: V501
import builtins

key = [k for k in dir(builtins) if len(k) == 4 and k[0] == k[2] and k.startswith("e")][0]
vars(builtins)[key.replace("exec", "eval")]("print('found by shape')")
