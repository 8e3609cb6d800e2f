# id: A10
# title: A cell cannot use more of the processors than its share
# expect: contained
# limits: cpus=0.2 wall=20s
# guards: cgroup.cpu
# control: cgroup.cpu => escaped
# works: a share so small that even a busy host gives more without the bound

import time

wall, used = time.monotonic(), time.process_time()
while time.monotonic() < wall + 2:
    pass
ratio = (time.process_time() - used) / (time.monotonic() - wall)
print(f"ESCAPED: used {ratio:.2f} processors" if ratio > 0.3 else f"CONTAINED: used {ratio:.2f} processors")
