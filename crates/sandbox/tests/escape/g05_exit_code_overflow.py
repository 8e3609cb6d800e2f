# id: G05
# title: Exit codes are what the kernel makes of them
# expect: exited 255
# guards: output.bound
# control: none, the case is about the reader of the outcome

import sys

print("CONTAINED: an exit code of minus one", flush=True)
sys.exit(-1)
