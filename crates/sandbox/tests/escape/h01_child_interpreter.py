# id: H01
# title: A second interpreter without any hook wins nothing
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import json
import subprocess
import sys

FACTS = json.loads(sys.argv[1])
code = "import sys; print(open(sys.argv[1]).read(), end='')"
command = [sys.executable, "-I", "-S", "-E", "-c", code, FACTS["canary_path"]]
run = subprocess.run(command, capture_output=True, text=True)
last = run.stderr.strip().splitlines()[-1:]
print("ESCAPED: read the canary" if run.stdout == FACTS["canary_text"] else f"CONTAINED: {last}")
