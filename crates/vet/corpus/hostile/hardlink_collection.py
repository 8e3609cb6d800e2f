# label: hostile
# expect: V101
# note: Hard-links a read-only asset of the interpreter and another job's file into the results.
from os import link, mkdir

mkdir("out")
try:
    link("/usr/bin/python3", "out/report.txt")
except OSError as e:
    print(e)
link("/var/lib/gambeson/blobs/0", "out/summary.txt")
