# id: C09
# title: A set-user-id bit made by the program gives nothing
# expect: contained
# guards: no-new-privileges namespace.user
# control: none, the file belongs to the program itself

import os
import shutil
import subprocess
import sys

copy = os.path.abspath("privileged")
shutil.copy(os.path.realpath(sys.executable), copy)
os.chmod(copy, 0o6755)
code = "import os; print(*os.getresuid(), *os.getresgid())"
try:
    run = subprocess.run([copy, "-I", "-S", "-c", code], capture_output=True, text=True, env={"PYTHONHOME": sys.prefix})
    ids = {int(word) for word in run.stdout.split()}
    print(f"ESCAPED: ids {ids}" if ids - {os.getuid(), os.getgid()} else f"CONTAINED: ids {ids}, {run.stderr[-80:].strip()!r}")
except OSError as refusal:
    print(f"CONTAINED: {refusal.strerror}")
