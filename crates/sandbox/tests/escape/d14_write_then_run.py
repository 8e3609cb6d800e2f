# id: D14
# title: A program that was just written can be run at once
# expect: contained
# limits: pids=32 wall=20s
# guards: scratch
# control: none, positive case

import errno
import os
import shutil
import subprocess
import sys

flaky = 0
source = os.path.realpath(sys.executable)
for number in range(10):
    name = os.path.abspath(f"fresh-{number}")
    shutil.copy(source, name)
    try:
        run = subprocess.run([name, "-I", "-S", "-c", "print(6 * 7)"], capture_output=True, env={"PYTHONHOME": sys.prefix})
        assert run.stdout == b"42\n", run.stderr
    except OSError as refusal:
        assert refusal.errno == errno.ETXTBSY, refusal
        flaky += 1
    os.unlink(name)
print(f"ESCAPED: {flaky} of 10 were busy" if flaky else "CONTAINED: works, ten copies ran")
