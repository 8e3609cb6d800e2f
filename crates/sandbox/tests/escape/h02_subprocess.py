# id: H02
# title: The interpreter can start itself
# expect: contained
# limits: pids=64 memory=256M wall=20s
# guards: seccomp
# control: none, positive case

import subprocess
import sys

code = "import sys; sys.stdout.write(sys.stdin.read().upper()); sys.exit(3)"
run = subprocess.run([sys.executable, "-c", code], input="quiet", capture_output=True, text=True, timeout=10)
assert (run.stdout, run.returncode) == ("QUIET", 3), run
print("CONTAINED: works, pipes and exit code")
