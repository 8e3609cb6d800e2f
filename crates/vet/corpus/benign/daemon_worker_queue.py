# label: benign
# expect: V203 V901
# note: A worker thread loops for ever over a queue, as the manual shows; the loop has no way out, but the thread is a daemon.
import queue
import threading

q = queue.Queue(maxsize=100)
results = []


def worker():
    while True:
        item = q.get()
        try:
            results.append(item * item)
        finally:
            q.task_done()


for _ in range(4):
    threading.Thread(target=worker, daemon=True).start()

for i in range(1000):
    q.put(i)
q.join()
print(sum(results))
