# label: benign
# expect: V101
# note: Counts cores from /proc/cpuinfo and memory from /proc/meminfo; outside, though harmless.
import re
from pathlib import Path

cpuinfo = Path("/proc/cpuinfo").read_text()
cores = len(re.findall(r"^processor\s*:", cpuinfo, re.M))
model = re.search(r"model name\s*:\s*(.+)", cpuinfo)

mem = dict(
    (k, int(v.split()[0]))
    for k, v in (l.split(":", 1) for l in Path("/proc/meminfo").read_text().splitlines())
)
print(cores, "x", model.group(1) if model else "?")
print(f"{mem['MemAvailable'] / mem['MemTotal']:.0%} of memory is free")
