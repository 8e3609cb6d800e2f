# id: F03
# title: The random module starts differently in each run
# expect: contained
# distinct: yes
# guards: seccomp
# control: none, positive case

import random

print("VALUE:", random.random(), random.getrandbits(64), random.Random().random())
print("CONTAINED: works, three numbers")
