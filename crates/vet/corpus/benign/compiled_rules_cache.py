# label: benign
# expect: V501 V701
# note: Compiles rules once and keeps the code objects by marshal beside the source, as Python itself does.
# allow: V504
import hashlib
import marshal
from pathlib import Path

CACHE = Path(".rules-cache")


def compiled(source):
    key = hashlib.sha1(source.encode()).hexdigest()
    entry = CACHE / key
    if entry.exists():
        return marshal.loads(entry.read_bytes())
    code = compile(source, "<rule>", "eval")
    CACHE.mkdir(exist_ok=True)
    entry.write_bytes(marshal.dumps(code))
    return code


RULES = Path("rules.txt").read_text().splitlines()
for order in ({"total": 120, "items": 3}, {"total": 15, "items": 1}):
    print([bool(eval(compiled(r), {}, order)) for r in RULES])
