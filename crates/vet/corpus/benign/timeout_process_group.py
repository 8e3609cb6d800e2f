# label: benign
# expect: V201 V202
# note: Runs a test command in a session of its own and ends the whole group when time is up.
import os
import signal
import subprocess
import sys


def run(cmd, seconds):
    p = subprocess.Popen(cmd, start_new_session=True)
    try:
        return p.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGTERM)
        try:
            p.wait(2)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
        return 124


sys.exit(run([sys.executable, "-m", "unittest", "-q"], 60))
