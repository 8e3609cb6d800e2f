# name: "/work/absolute_script.py"
import sys
print(__file__, sys.argv, sys.path[0], sys.orig_argv[1:] if hasattr(sys, "orig_argv") else "")
raise ValueError
