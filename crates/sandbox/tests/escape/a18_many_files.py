# id: A18
# title: A cell with many files is removed without delay
# expect: contained
# limits: files=20000 memory=256M wall=20s
# guards: scratch
# control: none, the case is about the removal

import os

count = 0
for folder in range(20):
    os.mkdir(f"many-{folder}")
    for number in range(500):
        os.close(os.open(f"many-{folder}/{number}", os.O_CREAT | os.O_WRONLY))
        count += 1
print(f"CONTAINED: prepared, {count} files")
