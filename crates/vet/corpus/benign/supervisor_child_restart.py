# label: benign
# expect: V201 V202
# note: A tiny process supervisor that stops its own children politely and then with force.
import os
import signal
import subprocess
import sys
import time

children = [subprocess.Popen([sys.executable, "-m", "http.server", str(8000 + i)]) for i in range(2)]


def stop_all(*_):
    for c in children:
        os.kill(c.pid, signal.SIGTERM)
    deadline = time.monotonic() + 3
    for c in children:
        try:
            c.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.kill(c.pid, signal.SIGKILL)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop_all)
signal.signal(signal.SIGINT, stop_all)
for c in children:
    c.wait()
