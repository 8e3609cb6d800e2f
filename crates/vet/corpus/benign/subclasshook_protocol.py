# label: benign
# expect:
# note: __subclasshook__, __instancecheck__ and register on an abstract class; relatives of __subclasses__ that enumerate nothing.
from abc import ABCMeta


class Sized(metaclass=ABCMeta):
    @classmethod
    def __subclasshook__(cls, other):
        if cls is Sized:
            return any("__len__" in vars(k) for k in other.__mro__)
        return NotImplemented


class Even(type):
    def __instancecheck__(cls, n):
        return isinstance(n, int) and n % 2 == 0


class EvenNumber(metaclass=Even):
    pass


class Box:
    def __len__(self):
        return 3


print(issubclass(Box, Sized), isinstance(4, EvenNumber), isinstance(5, EvenNumber))
