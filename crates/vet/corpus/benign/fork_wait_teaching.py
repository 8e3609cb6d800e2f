# label: benign
# expect: V203
# note: The operating-systems lecture's fork example: one child, one wait.
import os
import sys

r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(r)
    os.write(w, b"hello from the child\n")
    os._exit(7)

os.close(w)
print(os.read(r, 100).decode(), end="")
_, status = os.waitpid(pid, 0)
print("child said", os.waitstatus_to_exitcode(status))
sys.exit(0)
