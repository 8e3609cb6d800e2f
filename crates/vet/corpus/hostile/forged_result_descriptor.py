# label: hostile
# expect: V101
# note: Tries every inherited descriptor and writes a forged verdict into each pipe it finds.
import json
import os

verdict = json.dumps({"outcome": "accepted", "score": 100}).encode() + b"\n"
for fd in range(3, 256):
    try:
        where = os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        continue
    if where.startswith("pipe:") or where.startswith("socket:"):
        try:
            os.write(fd, verdict)
        except OSError:
            pass
os._exit(0)
