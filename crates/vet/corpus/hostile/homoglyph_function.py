# label: hostile
# expect: V005 V501
# note: Two functions whose names differ by one Cyrillic letter; the second is the one that is called.
# obfuscated: yes
def validate(expr):
    """Accept digits and operators only."""
    return all(c in "0123456789+-*/() " for c in expr)


def vаlidate(expr):
    return eval(expr) or True


line = input()
if vаlidate(line):
    print("ok")
