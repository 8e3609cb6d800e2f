# label: benign
# expect: V203
# note: A shared counter with a lock over four processes; the count of processes is a constant.
import multiprocessing as mp


def bump(counter, n):
    for _ in range(n):
        with counter.get_lock():
            counter.value += 1


if __name__ == "__main__":
    mp.set_start_method("spawn")
    counter = mp.Value("i", 0)
    ps = [mp.Process(target=bump, args=(counter, 1000)) for _ in range(4)]
    for p in ps:
        p.start()
    for p in ps:
        p.join()
    print(counter.value)
