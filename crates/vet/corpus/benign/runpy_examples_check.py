# label: benign
# expect: V502
# note: Runs every example of a folder by runpy to see that none fails.
# allow: V501
import contextlib
import io
import runpy
import sys
from pathlib import Path

failed = []
for path in sorted(Path("examples").glob("*.py")):
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            runpy.run_path(str(path), run_name="__main__")
    except BaseException as e:
        failed.append((path.name, repr(e)))
    print(f"{path.name:30} {len(out.getvalue())} characters")

for name, why in failed:
    print("FAILED", name, why)
sys.exit(bool(failed))
