# files: {"sibling.py": "import sys\nVALUE = __name__, __file__, __spec__.origin\n", "pack/__init__.py": "from . import inner\n", "pack/inner.py": "from .. import nothing\n"}
import sibling, os, sys
print(sibling.VALUE, sys.path[0], os.getcwd(), sorted(os.listdir(".")))
try:
    import pack
except ImportError as error:
    print(repr(error))
print(sorted(os.listdir("__pycache__")) if os.path.isdir("__pycache__") else "no cache")
