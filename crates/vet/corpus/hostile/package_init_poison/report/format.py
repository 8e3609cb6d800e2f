from .locale import NAMES


def pretty(y, m, d):
    return f"{d} {NAMES[m]} {y}"
