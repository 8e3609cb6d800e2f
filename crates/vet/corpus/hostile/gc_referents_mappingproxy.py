# label: hostile
# expect: V603
# note: Uses gc.get_referents to turn the read-only dict of a builtin type into a writable one and poisons str.
# allow: V604
import gc

real = gc.get_referents(str.__dict__)[0]
original = real["__eq__"] if "__eq__" in real else str.__eq__


def always(self, other):
    return True


real["startswith"] = lambda self, *a: True
real["isdigit"] = lambda self: True
print("abc".isdigit(), "abc".startswith("zzz"))
