# label: benign
# expect: V502
# note: A notebook's export that reloads the module it is developing and imports a chapter by number.
# %%
import importlib

import numpy as np

# %%
chapter = 3
lesson = importlib.import_module(f"lessons.chapter{chapter:02}")
importlib.reload(lesson)

# %%
xs = np.linspace(0, 1, 11)
print(lesson.solution(xs))

# %%
for n in range(1, 4):
    m = importlib.import_module("lessons.chapter%02d" % n)
    print(n, m.__doc__)
