# id: B05
# title: The program is neither root nor in root's groups
# expect: contained
# guards: identity
# control: none, what it would be instead is not defined

import os

ids = os.getresuid() + os.getresgid() + tuple(os.getgroups())
print(f"ESCAPED: ids {ids}" if 0 in ids else f"CONTAINED: ids {ids}")
