# label: benign
# expect:
# note: Tunes and freezes the collector before a long run; thresholds only.
import gc
import json
import sys

gc.set_threshold(50_000, 20, 100)
tables = [json.loads(line) for line in sys.stdin]
gc.freeze()
print(gc.get_freeze_count() > 0, gc.isenabled(), gc.get_stats()[0]["collections"] >= 0)

total = 0
for t in tables:
    total += len(t)
print(total)
gc.unfreeze()
