# script: "pr\u00f6g \u20ac.py"
import sys
print(ascii(__file__), ascii(sys.argv))
raise ValueError
