# id: H02
# title: Locks, queues, events and managers between processes work
# expect: contained
# limits: pids=64 memory=256M wall=30s
# guards: seccomp
# control: none, positive case

import multiprocessing

def add(queue, lock, total, event):
    event.wait()
    for _ in range(100):
        with lock:
            total.value += 1
    queue.put("done")


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    queue, lock, total, event = context.Queue(), context.Lock(), context.Value("i", 0), context.Event()
    workers = [context.Process(target=add, args=(queue, lock, total, event)) for _ in range(2)]
    for worker in workers:
        worker.start()
    event.set()
    assert [queue.get(timeout=10) for _ in workers] == ["done"] * 2
    for worker in workers:
        worker.join()
    assert total.value == 200
    with context.Manager() as manager:
        shared = manager.dict(a=1)
        assert shared["a"] == 1
    print("CONTAINED: works, two hundred additions")
