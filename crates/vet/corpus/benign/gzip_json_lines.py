# label: benign
# expect:
# note: Reads gzip JSON lines and counts; decompressing data is not decoding a payload.
import gzip
import json
from collections import Counter
from pathlib import Path

totals = Counter()
for path in sorted(Path("logs").glob("*.jsonl.gz")):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            totals[record["status"] // 100] += 1

for family, n in sorted(totals.items()):
    print(f"{family}xx {n}")
