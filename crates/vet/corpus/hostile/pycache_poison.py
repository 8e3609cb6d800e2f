# label: hostile
# expect: V103 V701
# note: Swaps the cached bytecode of a standard module for its own, keeping the header that makes it valid.
# allow: V101 V501
import importlib.util
import json
import marshal
import pathlib

cached = pathlib.Path(importlib.util.cache_from_source(json.__file__))
raw = cached.read_bytes()
head, body = raw[:16], marshal.loads(raw[16:])
extra = compile("LOADED = True", json.__file__, "exec")
patched = body.replace(co_consts=body.co_consts + (extra,), co_name="<module>")
cached.write_bytes(head + marshal.dumps(patched))
