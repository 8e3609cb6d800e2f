# label: hostile
# expect: V201 V501
# note: A star import shadows print and len with functions of another kind.
# obfuscated: yes
from compat import *

print("id")
values = len("[1, 2, 3]")
