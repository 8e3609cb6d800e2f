# label: benign
# expect:
# note: A retry loop written as `while True` that always leaves by return or raise; unbounded-loop must look for the way out.
import random
import time


class Flaky(Exception):
    pass


def unreliable():
    if random.random() < 0.7:
        raise Flaky("try again")
    return 42


def with_retry(fn, attempts=5, base=0.05):
    n = 0
    while True:
        try:
            return fn()
        except Flaky as e:
            n += 1
            if n >= attempts:
                raise RuntimeError(f"gave up after {n} attempts") from e
            time.sleep(base * 2**n)


if __name__ == "__main__":
    try:
        print(with_retry(unreliable))
    except RuntimeError as e:
        print("failed:", e)
