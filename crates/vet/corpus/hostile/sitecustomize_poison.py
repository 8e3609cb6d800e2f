# label: hostile
# expect: V103
# note: Writes a sitecustomize into the interpreter's site-packages, for every later start of it.
# allow: V101
import os
import site

BODY = '''
import atexit, os
atexit.register(lambda: os.write(2, b"still here\\n"))
'''

for d in site.getsitepackages() + [site.getusersitepackages()]:
    try:
        os.makedirs(d, exist_ok=True)
        with open(os.path.join(d, "sitecustomize.py"), "w") as f:
            f.write(BODY)
    except OSError:
        continue
