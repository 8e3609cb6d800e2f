# label: benign
# expect:
# note: Settings with placeholders in the place of secrets; none has the shape or the entropy of a real one.
import os

API_KEY = "YOUR_API_KEY_HERE"
SECRET_KEY = "changeme"
DB_PASSWORD = "<password>"
GITHUB_TOKEN = "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
AWS_SECRET_ACCESS_KEY = os.environ.get("AWS_SECRET_ACCESS_KEY", "")


def check():
    bad = []
    for name in ("API_KEY", "SECRET_KEY", "DB_PASSWORD"):
        value = {"API_KEY": API_KEY, "SECRET_KEY": SECRET_KEY, "DB_PASSWORD": DB_PASSWORD}[name]
        if value.startswith("YOUR_") or value in ("changeme", "<password>"):
            bad.append(name)
    return bad


if missing := check():
    print("please set:", ", ".join(missing))
