# label: benign
# expect:
# note: Shows the five busiest processes; psutil only looks.
# allow: V202
import psutil

rows = []
for p in psutil.process_iter(["pid", "name", "memory_info"]):
    mem = p.info["memory_info"]
    if mem:
        rows.append((mem.rss, p.info["pid"], p.info["name"]))

for rss, pid, name in sorted(rows, reverse=True)[:5]:
    print(f"{pid:7} {rss / 2**20:8.1f} MiB  {name}")
print(psutil.virtual_memory().percent, "% in use")
