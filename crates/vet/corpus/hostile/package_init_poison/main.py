# label: hostile
# expect: V301 V801
# note: The payload runs in the __init__ of an inner package, two imports away from a main that only formats dates.
# obfuscated: yes
from report.format import pretty

print(pretty(2031, 4, 1))
