# label: benign
# expect: V503
# note: A fuzz test calls every public string method by its name from dir().
import random
import string

random.seed(5)
methods = [m for m in dir(str) if not m.startswith("_")]
crashes = {}
for _ in range(300):
    text = "".join(random.choices(string.printable, k=random.randint(0, 20)))
    name = random.choice(methods)
    try:
        getattr(text, name)()
    except TypeError:
        continue
    except Exception as e:
        crashes[name] = repr(e)
print(len(methods), "methods", crashes)
