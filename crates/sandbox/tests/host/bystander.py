"""The program of the cell next door: whoever disturbs it makes it miss a count."""

import sys

count = 0
for _ in sys.stdin:
    count += 1
    print(count, flush=True)
