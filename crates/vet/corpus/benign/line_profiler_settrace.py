# label: benign
# expect: V604
# note: A line counter by sys.settrace for a teaching page on profilers; hooks the interpreter on purpose.
# allow: V602
import sys
from collections import Counter

hits = Counter()


def tracer(frame, event, arg):
    if event == "line" and frame.f_code.co_filename == __file__:
        hits[frame.f_lineno] += 1
    return tracer


def slow(n):
    total = 0
    for i in range(n):
        if i % 3 == 0:
            total += i
    return total


sys.settrace(tracer)
slow(100)
sys.settrace(None)

for line, n in sorted(hits.items()):
    print(f"{line:4} {n:6}")
