# label: hostile
# expect: V204
# note: Each process makes two more through multiprocessing, guarded by the innocent main idiom.
# allow: V203
from multiprocessing import Process


def spread():
    children = [Process(target=spread) for _ in range(2)]
    for c in children:
        c.start()
    for c in children:
        c.join()


if __name__ == "__main__":
    spread()
