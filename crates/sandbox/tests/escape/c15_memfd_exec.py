# id: C15
# title: A program run from memory is confined like any other
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import json
import os
import subprocess
import sys

FACTS = json.loads(sys.argv[1])
code = "import sys; print(open(sys.argv[1]).read(), end='')"
program = os.memfd_create("interpreter", 0)
with open(os.path.realpath(sys.executable), "rb") as file:
    while block := file.read(1 << 20):
        os.write(program, block)
command = [f"/proc/self/fd/{program}", "-I", "-S", "-c", code, FACTS["canary_path"]]
try:
    run = subprocess.run(command, executable=command[0], pass_fds=[program], capture_output=True, text=True, env={"PYTHONHOME": sys.prefix})
    read = run.stdout == FACTS["canary_text"]
    last = run.stderr.strip().splitlines()[-1:]
    print("ESCAPED: read the canary" if read else f"CONTAINED: {last}")
except OSError as refusal:
    print(f"CONTAINED: {refusal.strerror}")
