# label: benign
# expect:
# note: Parses URLs, makes some up and never sends anything; urllib.parse is not the network.
from collections import Counter
from urllib.parse import urlsplit, urlunsplit, parse_qsl, urlencode

LINKS = """
http://example.org/a?utm_source=x&id=3
https://EXAMPLE.net:443/b/../c?id=4#frag
http://169.254.169.254/latest/meta-data/
ftp://192.0.2.10/pub/file.tar.gz
""".split()


def tidy(url):
    p = urlsplit(url)
    query = [(k, v) for k, v in parse_qsl(p.query) if not k.startswith("utm_")]
    return urlunsplit((p.scheme, p.netloc.lower(), p.path, urlencode(query), ""))


for u in LINKS:
    print(tidy(u))
print(Counter(urlsplit(u).scheme for u in LINKS))
