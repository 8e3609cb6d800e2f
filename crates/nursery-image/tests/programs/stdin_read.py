# stdin: "first\nsecond \u00e4\nthird"
import sys
print(input("ask: "), sys.stdin.readline(), sys.stdin.read(), repr(sys.stdin.read()))
try:
    input()
except EOFError as error:
    print(repr(error))
