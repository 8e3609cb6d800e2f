# label: hostile
# expect: V201 V502 V503
# note: functools.reduce walks a path of attribute names with getattr from a module that was imported by its folded name.
# obfuscated: yes
from functools import reduce

path = "pa" "th", "os", "sys" + "tem"
start = __import__("im" + "portlib").util
start = __import__("shu" + "til")
reduce(getattr, path[1:], start)("id")
