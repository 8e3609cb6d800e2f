# label: benign
# expect: V102 V301
# note: A program in a pod that asks its own cluster for its own name, the documented way.
# allow: V101 V303
import json
import os
import ssl
import urllib.request

SA = "/var/run/secrets/kubernetes.io/serviceaccount"
host = os.environ.get("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc")

token = open(f"{SA}/token").read()
namespace = open(f"{SA}/namespace").read()
context = ssl.create_default_context(cafile=f"{SA}/ca.crt")
pod = os.environ["HOSTNAME"]
req = urllib.request.Request(
    f"https://{host}/api/v1/namespaces/{namespace}/pods/{pod}",
    headers={"Authorization": f"Bearer {token}"},
)
with urllib.request.urlopen(req, context=context, timeout=5) as r:
    print(json.load(r)["status"]["phase"])
