# label: hostile
# expect: V201
# note: Uses the C half of subprocess directly.
# obfuscated: yes
import _posixsubprocess
import os

r, w = os.pipe()
_posixsubprocess.fork_exec(
    [b"/bin/id"], [b"/bin/id"], True, (), None, None,
    -1, -1, -1, -1, -1, -1, r, w, False, False, -1, None, None, None, -1, None, False,
)
os.close(w)
print(os.read(r, 100))
