# name: ".//slashes_script.py"
import sys, os
print(__file__, sys.argv, sys.path[0], os.path.abspath(__file__))
raise ValueError
