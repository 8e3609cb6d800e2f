# label: benign
# expect: V203
# note: A process pool over a pure function; parallel work of bounded width.
import os
from concurrent.futures import ProcessPoolExecutor


def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


if __name__ == "__main__":
    with ProcessPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        lengths = list(pool.map(collatz, range(1, 50_000), chunksize=1000))
    best = max(range(len(lengths)), key=lengths.__getitem__)
    print(best + 1, lengths[best])
