# label: benign
# expect:
# note: Falls back to the standard library when a faster JSON is missing; the missing module is guarded.
# allow: V003
try:
    import orjson as _fast
except ImportError:
    _fast = None
import json


def dumps(obj) -> bytes:
    if _fast is not None:
        return _fast.dumps(obj)
    return json.dumps(obj, separators=(",", ":")).encode()


print(dumps({"a": [1, 2, 3], "b": None}))
