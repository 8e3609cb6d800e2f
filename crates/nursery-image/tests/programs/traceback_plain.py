def first(x):
    return second(x) + 1


def second(x):
    return 1 / x


first(0)
