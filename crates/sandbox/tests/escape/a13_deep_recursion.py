# id: A13
# title: Recursion until the stack ends hurts the child only
# expect: contained
# limits: memory=256M wall=10s
# guards: rlimits cgroup.memory
# control: none, the damage is the program's own

import os
import sys

child = os.fork()
if child == 0:
    sys.setrecursionlimit(10**9)
    nested = []
    for _ in range(500_000):
        nested = [nested]
    try:
        repr(nested)
    except (RecursionError, MemoryError):
        os._exit(3)
    os._exit(0)
_, status = os.waitpid(child, 0)
print(f"CONTAINED: the child ended with wait status {status}")
