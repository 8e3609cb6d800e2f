# id: G01
# title: Words on stdout do not change the outcome
# expect: exited 7
# guards: output.bound
# control: none, the case is about the reader of the output

import json
import os
import sys

for words in (
    {"outcome": "exited", "code": 0},
    {"type": "exit", "status": {"Exited": 0}, "limit_hit": None},
    {"fault": {"step": "seccomp"}, "lost": True},
):
    print(json.dumps(words))
print("exit status: 0\n::set-output name=result::passed\n\x04\x00\x1e{}\x1d")
print("CONTAINED: these were words only", flush=True)
os._exit(7)
