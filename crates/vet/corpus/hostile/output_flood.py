# label: hostile
# expect: V901 V903
# note: Prints as fast as it can, so that the log store fills up.
import sys

line = "A" * 65535 + "\n"
while True:
    sys.stdout.write(line)
    sys.stderr.write(line)
