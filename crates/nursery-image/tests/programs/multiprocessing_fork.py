import multiprocessing, os, sys
def work(n):
    return n * n, __name__, sys.argv, sys.orig_argv[1:2] if hasattr(sys, "orig_argv") else None
def put(queue):
    queue.put(("hello", multiprocessing.current_process().name))
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    with context.Pool(2) as pool:
        print(pool.map(work, range(3)))
    queue = context.Queue()
    process = context.Process(target=put, args=(queue,))
    process.start()
    print(queue.get())
    process.join()
    print(process.exitcode)
