# id: H02
# title: multiprocessing by fork works
# expect: contained
# limits: pids=64 memory=256M wall=20s
# guards: seccomp
# control: none, positive case

import multiprocessing

def square(number):
    return number * number


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(square, range(10)) == [n * n for n in range(10)]
    print("CONTAINED: works, a pool of two")
