# id: H02
# title: Threads work
# expect: contained
# limits: pids=64 memory=256M
# guards: cgroup.pids
# control: none, positive case

import concurrent.futures

with concurrent.futures.ThreadPoolExecutor(8) as pool:
    assert sum(pool.map(lambda n: n * n, range(100))) == 328350
print("CONTAINED: works, eight threads")
