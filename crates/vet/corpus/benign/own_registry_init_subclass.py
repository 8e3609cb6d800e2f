# label: benign
# expect:
# note: A plugin registry by __init_subclass__ and metaclass bookkeeping; it resembles __subclasses__ and is not.
class Codec:
    registry = {}

    def __init_subclass__(cls, /, name, **kw):
        super().__init_subclass__(**kw)
        Codec.registry[name] = cls

    def encode(self, s):
        raise NotImplementedError


class Caesar(Codec, name="caesar"):
    def encode(self, s, k=3):
        return "".join(chr((ord(c) - 97 + k) % 26 + 97) if c.islower() else c for c in s)


class Reverse(Codec, name="reverse"):
    def encode(self, s):
        return s[::-1]


for n, k in sorted(Codec.registry.items()):
    print(n, k().encode("attack at dawn"))
print([c.__name__ for c in Caesar.__mro__], issubclass(Caesar, Codec))
