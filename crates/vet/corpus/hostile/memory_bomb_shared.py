# label: hostile
# expect: V902
# note: Reserves shared memory and anonymous mappings, which a limit on the heap does not count.
import mmap
from multiprocessing.shared_memory import SharedMemory

maps = [mmap.mmap(-1, 1 << 36) for _ in range(4)]
for m in maps:
    for off in range(0, len(m), mmap.PAGESIZE):
        m[off] = 1

block = SharedMemory(create=True, size=64 * 2**30)
block.buf[:] = b"\1" * block.size
