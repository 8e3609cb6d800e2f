# label: benign
# expect: V203 V204 V901
# note: A watchdog that starts its worker anew whenever it died, in an endless loop; one process at a time.
import multiprocessing
import random
import time


def worker():
    for _ in range(10):
        time.sleep(0.1)
        if random.random() < 0.1:
            raise SystemExit(3)


if __name__ == "__main__":
    while True:
        p = multiprocessing.Process(target=worker)
        p.start()
        p.join()
        print("worker ended with", p.exitcode)
        time.sleep(1)
