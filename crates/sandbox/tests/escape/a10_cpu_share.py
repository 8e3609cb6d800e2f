# id: A10
# title: A cell cannot use more of the processors than its share
# expect: contained
# limits: cpus=0.5 wall=10s
# guards: cgroup.cpu
# control: cgroup.cpu => escaped

import time

wall, used = time.monotonic(), time.process_time()
while time.monotonic() < wall + 2:
    pass
ratio = (time.process_time() - used) / (time.monotonic() - wall)
print(f"ESCAPED: used {ratio:.2f} processors" if ratio > 0.75 else f"CONTAINED: used {ratio:.2f} processors")
