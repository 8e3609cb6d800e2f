# id: F03
# title: The system's random bytes differ from run to run
# expect: contained
# distinct: yes
# guards: seccomp
# control: none, positive case

import os

print("VALUE:", os.urandom(16).hex())
print("CONTAINED: works, sixteen bytes")
