# label: benign
# expect: V701
# note: Memoises an expensive table in a pickle file that the same program wrote a moment ago.
import os
import pickle
import time

CACHE = "cache/distances.pkl"


def compute():
    time.sleep(0.2)
    return {(i, j): abs(i - j) ** 1.5 for i in range(300) for j in range(300)}


def distances():
    if os.path.exists(CACHE):
        with open(CACHE, "rb") as f:
            return pickle.load(f)
    table = compute()
    os.makedirs(os.path.dirname(CACHE), exist_ok=True)
    with open(CACHE, "wb") as f:
        pickle.dump(table, f, protocol=pickle.HIGHEST_PROTOCOL)
    return table


if __name__ == "__main__":
    d = distances()
    print(len(d), max(d.values()))
