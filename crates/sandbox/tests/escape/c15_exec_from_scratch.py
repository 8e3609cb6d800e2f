# id: C15
# title: A program run from the temporary folder is confined like any other
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import json
import os
import shutil
import subprocess
import sys
import tempfile

FACTS = json.loads(sys.argv[1])
code = "import sys; print(open(sys.argv[1]).read(), end='')"
with tempfile.TemporaryDirectory() as folder:
    copy = shutil.copy(os.path.realpath(sys.executable), folder)
    command = [copy, "-I", "-S", "-c", code, FACTS["canary_path"]]
    try:
        run = subprocess.run(command, capture_output=True, text=True, env={"PYTHONHOME": sys.prefix})
        last = run.stderr.strip().splitlines()[-1:]
        print("ESCAPED: read the canary" if run.stdout == FACTS["canary_text"] else f"CONTAINED: {last}")
    except OSError as refusal:
        print(f"CONTAINED: {refusal.strerror}")
