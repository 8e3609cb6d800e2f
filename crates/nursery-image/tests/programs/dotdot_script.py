# script: "prog.py"
# name: "deep/../prog.py"
# files: {"deep/x": ""}
import sys
print(__file__, sys.argv, sys.path[0], sys.orig_argv[1:] if hasattr(sys, "orig_argv") else "")
raise ValueError
