# label: hostile
# expect: V501 V503
# note: A metaclass whose __prepare__ gives a namespace that runs every unknown name it is asked for.
# obfuscated: yes
# allow: V005 V201
class Eager(dict):
    def __missing__(self, key):
        if key.startswith("_"):
            raise KeyError(key)
        return eval(key.replace("ᐧ", "."), {"__builtins__": {}})

    def __setitem__(self, key, value):
        if key == "todo":
            exec(value)
        super().__setitem__(key, value)


class Meta(type):
    @classmethod
    def __prepare__(mcs, name, bases):
        return Eager(__name__=name)


class Job(metaclass=Meta):
    todo = "import os; os.system('id')"


getattr(Job, "to" + "do")
