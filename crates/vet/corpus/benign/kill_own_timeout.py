# label: benign
# expect: V201
# note: Stops its own child with Popen.kill after a timeout; a signal by method rather than by number.
# allow: V202
import subprocess
import sys

p = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(60)"],
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
)
try:
    out, _ = p.communicate(timeout=2)
except subprocess.TimeoutExpired:
    p.kill()
    out, _ = p.communicate()
    print("stopped it")
print(p.returncode, out)
