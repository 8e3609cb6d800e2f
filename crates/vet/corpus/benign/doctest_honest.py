# label: benign
# expect:
# note: Examples in docstrings that doctest checks; running one's own documentation.
# allow: V201 V501
"""Roman numerals.

>>> roman(1994)
'MCMXCIV'
>>> number("XLII")
42
"""
PAIRS = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
         (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]


def roman(n):
    out = ""
    for value, letters in PAIRS:
        out += letters * (n // value)
        n %= value
    return out


def number(s):
    total = 0
    for value, letters in PAIRS:
        while s.startswith(letters):
            total += value
            s = s[len(letters):]
    return total


if __name__ == "__main__":
    import doctest

    doctest.testmod(verbose=True)
