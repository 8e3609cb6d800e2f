# label: benign
# expect: V102 V301
# note: Downloads a dataset with the login that the user keeps in ~/.netrc, through the standard module for it.
# allow: V101
import netrc
import os
import urllib.request

HOST = "data.example.org"

login, _, password = netrc.netrc(os.path.expanduser("~/.netrc")).authenticators(HOST)
mgr = urllib.request.HTTPPasswordMgrWithDefaultRealm()
mgr.add_password(None, f"https://{HOST}/", login, password)
opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(mgr))
with opener.open(f"https://{HOST}/sets/iris.csv") as r, open("iris.csv", "wb") as f:
    f.write(r.read())
