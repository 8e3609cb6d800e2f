# label: benign
# expect:
# note: Splits a token and decodes its middle part by base64 and json; a decoder and a dict.
import base64
import json
import sys


def payload(token: str) -> dict:
    _, body, _ = token.split(".")
    body += "=" * (-len(body) % 4)
    return json.loads(base64.urlsafe_b64decode(body))


for line in sys.stdin:
    claims = payload(line.strip())
    print(claims.get("sub"), claims.get("exp"))
