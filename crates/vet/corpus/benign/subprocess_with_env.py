# label: benign
# expect: V201 V801
# note: Copies the whole environment in order to add one variable for a child; usual and wholesale all the same.
import os
import subprocess
import sys


def run_isolated(script, seed):
    env = os.environ.copy()
    env["PYTHONHASHSEED"] = str(seed)
    env.pop("PYTHONSTARTUP", None)
    p = subprocess.run([sys.executable, script], env=env, stdout=subprocess.PIPE, timeout=60)
    return p.returncode, p.stdout


outputs = {run_isolated("stable.py", s) for s in range(3)}
print("deterministic" if len(outputs) == 1 else "depends on the hash seed")
