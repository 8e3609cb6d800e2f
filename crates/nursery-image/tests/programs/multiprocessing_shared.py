import multiprocessing, sys
from multiprocessing import shared_memory
def child(name, value, lock):
    block = shared_memory.SharedMemory(name=name)
    with lock:
        block.buf[0] = 7
        value.value += 1
    block.close()
if __name__ == "__main__":
    block = shared_memory.SharedMemory(create=True, size=16)
    value, lock = multiprocessing.Value("i", 0), multiprocessing.Lock()
    children = [multiprocessing.Process(target=child, args=(block.name, value, lock)) for _ in range(3)]
    [one.start() for one in children]
    [one.join() for one in children]
    print(block.buf[0], value.value, [one.exitcode for one in children], multiprocessing.get_start_method())
    print(multiprocessing.current_process().name, multiprocessing.parent_process())
    block.close()
    block.unlink()
