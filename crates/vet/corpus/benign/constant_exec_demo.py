# label: benign
# expect:
# note: A teaching example that evals and execs constants only; a reader may look inside and finds arithmetic.
# allow: V501
# Lesson 12: what do eval and exec do?

# eval gives back a value ...
print(eval("2 + 3 * 4"))
print(eval("[n ** 2 for n in range(5)]"))

# ... and exec runs statements.
namespace = {}
exec("x = 10\ny = x * 2", namespace)
print(namespace["y"])

# Exercise: why is it a bad idea to eval what a stranger typed?
