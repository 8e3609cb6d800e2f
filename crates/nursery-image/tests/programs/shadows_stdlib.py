# files: {"random.py": "print('the shadow')\n", "re.py": "SHADOW = 1\n", "encodings.py": "SHADOW = 1\n", "site.py": "SHADOW = 1\n", "io.py": "SHADOW = 1\n"}
import random, sys
print(random.__file__)
import encodings, site, io
for module in (encodings, site, io): print(module.__name__, hasattr(module, "SHADOW"), getattr(module, "__file__", None))
try:
    import re
    print(hasattr(re, "SHADOW"))
except Exception as error:
    print(repr(error))
