# label: hostile
# expect: V201
# note: A forward reference in an annotation is source that typing evaluates; the call is only a hint.
# obfuscated: yes
# allow: V501 V502
import typing


class Order:
    number: int
    price: "float"
    status: "__import__('os').system('id')"


for name, kind in typing.get_type_hints(Order).items():
    print(name, kind)
