# id: A13
# title: A regular expression that backtracks without end ends at the CPU limit
# expect: limit_hit cpu
# limits: cpu=1s wall=20s
# guards: deadline.cpu rlimits
# control: deadline.cpu rlimits => escaped

import re

re.match("(a+)+$", "a" * 27 + "b")
print("ESCAPED: survived")
