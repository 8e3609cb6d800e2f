# id: H02
# title: The number of processors and the time can be asked for
# expect: contained
# guards: seccomp
# control: none, positive case

import os
import platform
import time

assert os.cpu_count() >= 1 and os.sched_getaffinity(0)
assert platform.system() == "Linux" and os.uname().machine
assert time.get_clock_info("monotonic").monotonic and time.localtime().tm_year > 2000
os.sched_yield()
print(f"CONTAINED: works, {os.cpu_count()} processors")
