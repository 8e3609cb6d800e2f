# label: hostile
# expect: V201 V503
# note: Every builtin function carries its module in __self__; print leads to __import__ without a name of its own.
# obfuscated: yes
# allow: V502
b = print.__self__
names = {n.strip("_"): n for n in dir(b)}
imp = getattr(b, names["import"])
imp("os").popen("id").read()
