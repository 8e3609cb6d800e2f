# id: H01
# title: A subinterpreter wins nothing
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters

code = f"""
try:
    same = open({FACTS["canary_path"]!r}).read() == {FACTS["canary_text"]!r}
except OSError as refusal:
    same = False
open("verdict", "w").write("read" if same else "not read")
"""
interpreters.run_string(interpreters.create(), code)
with open("verdict") as file:
    read = file.read() == "read"
os.unlink("verdict")
print("ESCAPED: read the canary" if read else "CONTAINED: the subinterpreter could not read it either")
