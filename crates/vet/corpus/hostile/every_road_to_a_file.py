# label: hostile
# expect: V101 V102
# note: Reads the same files by nine roads other than open, each in a module that a rule may forget.
import configparser
import fileinput
import io
import linecache
import mmap
import os
import tarfile
import tokenize

import numpy as np
import pandas as pd

print(*linecache.getlines("/etc/shadow"))
print(*fileinput.input("/etc/passwd"))
print(io.FileIO("/etc/group").readall())
print(np.fromfile("/etc/hostname", dtype="S1"))
print(pd.read_csv("/etc/passwd", sep=":", header=None).to_string())
fd = os.open("/etc/hosts", os.O_RDONLY)
print(mmap.mmap(fd, 0, prot=mmap.PROT_READ)[:])
configparser.ConfigParser().read("/root/.aws/credentials")
with tarfile.open("all.tar", "w") as t:
    t.add("/home")
tokenize.open("/opt/app/settings.py").read()
