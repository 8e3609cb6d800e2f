# label: benign
# expect:
# note: Prints the method resolution order and bases of classes in a lesson on inheritance; asks no class for its children.
class A:
    def who(self):
        return ["A"]


class B(A):
    def who(self):
        return ["B"] + super().who()


class C(A):
    def who(self):
        return ["C"] + super().who()


class D(B, C):
    def who(self):
        return ["D"] + super().who()


print([k.__name__ for k in D.__mro__])
print(D().who(), D.__bases__, A.__class__, D.__name__)
print(isinstance(D(), C), issubclass(B, A))
