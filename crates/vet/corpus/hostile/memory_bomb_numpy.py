# label: hostile
# expect: V902
# note: Several children each allocate a fresh gigantic array, to pass a limit that counts processes one by one.
# allow: V203
import numpy as np
from multiprocessing import Pool


def eat(i):
    a = np.ones((40_000, 40_000), dtype=np.float64)  # 12.8 GB
    return a[i, i]


if __name__ == "__main__":
    with Pool(8) as p:
        print(p.map(eat, range(8)))
