# label: hostile
# expect: V103 V604
# note: Alters random, hashlib and sys.modules for whoever comes next in a reused interpreter and leaves a file in its cache.
# allow: V101
import builtins
import hashlib
import random
import sys

random.seed = lambda *a: None
random.random = lambda: 0.5
hashlib.sha256 = hashlib.md5
builtins.hash = lambda o: 1
sys.modules["ssl"] = sys.modules["random"]
open("/usr/lib/python3.11/__pycache__/antigravity.cpython-311.pyc", "wb").write(b"\0" * 16)
