# label: hostile
# expect: V101
# note: Searches the directories above for the hidden tests' expected output and answers from it.
import glob
import sys

stdin = sys.stdin.read()
for case in sorted(glob.glob("../../tests/**/*.in", recursive=True)) + sorted(glob.glob("/judge/data/*.in")):
    with open(case) as f:
        if f.read() == stdin:
            print(open(case[:-3] + ".out").read(), end="")
            sys.exit()
print(0)
