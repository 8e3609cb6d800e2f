# label: hostile
# expect: V901 V903
# note: Makes empty files and symbolic links by the million to use up inodes rather than bytes.
import itertools
import os

os.makedirs("n", exist_ok=True)
for i in itertools.count():
    d = f"n/{i // 5000}"
    if i % 5000 == 0:
        os.mkdir(d)
    open(f"{d}/{i}", "w").close()
    os.symlink("x" * 200, f"{d}/l{i}")
