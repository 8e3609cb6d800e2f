# label: hostile
# expect: V201 V503
# note: Attribute access and operators do the calls: __getattr__ composes a command and __or__ runs it.
# obfuscated: yes
# allow: V504
import os


class Sh(str):
    def __getattr__(self, word):
        return Sh(f"{self} {word}".strip())

    def __or__(self, other):
        return getattr(os, "po" + "pen")(f"{self} | {other}").read()


_ = Sh()
print(_.ls | _.head)
