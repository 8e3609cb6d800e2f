# id: H02
# title: Shared memory between processes works
# expect: contained
# limits: pids=64 memory=256M wall=20s
# guards: scratch
# control: none, positive case

import os

from multiprocessing import shared_memory

block = shared_memory.SharedMemory(create=True, size=4096)
child = os.fork()
if child == 0:
    block.buf[0] = 42
    os._exit(0)
os.waitpid(child, 0)
value = block.buf[0]
block.close()
block.unlink()
assert value == 42
print("CONTAINED: works, the child's byte arrived")
