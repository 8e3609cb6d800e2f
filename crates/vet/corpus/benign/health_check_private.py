# label: benign
# expect: V303
# note: Checks services of the office network by their private addresses.
# allow: V301
import sys
import urllib.error
import urllib.request

SERVICES = {
    "grafana": "http://192.168.10.21:3000/api/health",
    "registry": "http://10.20.0.5:5000/v2/",
    "wiki": "http://172.16.4.9/status",
}

bad = 0
for name, url in SERVICES.items():
    try:
        with urllib.request.urlopen(url, timeout=2) as r:
            state = r.status
    except (urllib.error.URLError, TimeoutError) as e:
        state, bad = e, bad + 1
    print(f"{name:10} {state}")
sys.exit(bad)
