# script: "deep/er/prog.py"
# files: {"deep/er/near.py": "X = 'near'\n", "far.py": "X = 'far'\n"}
import near, os, sys
print(__file__, sys.argv, sys.path[0], os.getcwd(), near.X, near.__file__)
try:
    import far
except ImportError as error:
    print(repr(error))
raise ValueError
