# label: benign
# expect:
# note: A project with its own module named `subprocess_log` and a class `os`; what is called system is a solar one.
from solar import os, planets

for p in planets():
    print(p, os.system(p))
