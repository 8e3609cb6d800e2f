# label: benign
# expect:
# note: A project whose own class is called os and whose system is a solar one.
from solar import os, planets

for p in planets():
    print(p, os.system(p))
