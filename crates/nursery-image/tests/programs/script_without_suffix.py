# script: "prog"
import sys, inspect
print(__file__, inspect.getsource(sys.modules["__main__"])[:10], __spec__)
import prog
