# label: benign
# expect:
# note: Formats exceptions with the traceback module and re-raises with context; no frame is touched.
import json
import sys
import traceback


def guarded(fn, *args):
    try:
        return {"ok": True, "value": fn(*args)}
    except Exception as exc:
        return {
            "ok": False,
            "kind": type(exc).__name__,
            "text": str(exc),
            "trace": traceback.format_exc(limit=3).splitlines(),
        }


results = [guarded(int, "12"), guarded(int, "twelve"), guarded(lambda: {}["k"])]
json.dump(results, sys.stdout, indent=2)
try:
    raise KeyError("a")
except KeyError as e:
    try:
        raise RuntimeError("while looking") from e
    except RuntimeError:
        traceback.print_exc(file=sys.stdout)
