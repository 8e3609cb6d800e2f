# label: hostile
# expect: V501 V504
# note: Subscripts run code: __class_getitem__ decodes the type parameter and executes it.
# obfuscated: yes
# allow: V201
import binascii


class List:
    def __class_getitem__(cls, item):
        exec(binascii.unhexlify(item))
        return list


def f(xs: List["696d706f7274206f733b206f732e73797374656d282769642729"]) -> int:
    return 0


print(f([]))
