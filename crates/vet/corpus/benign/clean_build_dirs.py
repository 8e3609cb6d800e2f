# label: benign
# expect:
# note: Removes build directories relative to itself with rmtree; everything is below the working directory.
import shutil
from pathlib import Path

HERE = Path(".")
DOOMED = ["build", "dist", ".pytest_cache", "htmlcov"]

for name in DOOMED:
    target = HERE / name
    if target.is_dir():
        print("rm -r", target)
        shutil.rmtree(target, ignore_errors=True)

for pyc in HERE.rglob("*.pyc"):
    pyc.unlink()
