# label: hostile
# expect: V201 V901
# note: A program that starts itself twice for ever; every child does the same, so processes double.
# allow: V203 V204
import subprocess
import sys

while 1:
    subprocess.Popen([sys.executable, __file__])
    subprocess.Popen([sys.executable, __file__])
