# label: benign
# expect: V604
# note: Profiles its functions by sys.setprofile, a small cousin of cProfile.
# allow: V602
import sys
import time
from collections import defaultdict

spent = defaultdict(float)
stack = []


def prof(frame, event, arg):
    if event == "call":
        stack.append(time.perf_counter())
    elif event == "return" and stack:
        spent[frame.f_code.co_qualname] += time.perf_counter() - stack.pop()


def fast():
    return sum(range(1000))


def slow():
    return sum(range(1_000_000))


sys.setprofile(prof)
for _ in range(3):
    fast()
    slow()
sys.setprofile(None)
for k, v in sorted(spent.items(), key=lambda kv: -kv[1])[:5]:
    print(f"{v:8.4f} {k}")
