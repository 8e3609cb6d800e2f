# id: H02
# title: The usual modules of the standard library can be imported
# expect: contained
# limits: memory=256M wall=20s
# guards: root
# control: none, positive case

import importlib

NAMES = """argparse array base64 bisect bz2 calendar collections configparser contextlib copy csv dataclasses datetime decimal
difflib email enum fractions functools glob gzip hashlib heapq hmac html http.client importlib.metadata inspect io ipaddress
itertools json locale logging lzma math mmap operator pathlib pickle platform pprint queue random re select shelve shlex shutil
socket sqlite3 ssl statistics string struct subprocess tarfile tempfile textwrap threading time timeit tokenize traceback types
typing unittest urllib.request uuid venv warnings wave weakref xml.etree.ElementTree zipfile zlib zoneinfo""".split()
missing = []
for name in NAMES:
    try:
        importlib.import_module(name)
    except ImportError as reason:
        missing.append(f"{name}: {reason}")
assert not missing, missing
print(f"CONTAINED: works, {len(NAMES)} modules")
