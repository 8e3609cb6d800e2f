# id: H01
# title: A pickle that runs code wins nothing
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import errno
import json
import pickle
import sys

FACTS = json.loads(sys.argv[1])


def read_canary(opener=open):
    """Reads the host's file with whatever the trick has won."""
    try:
        with opener(FACTS["canary_path"]) as file:
            text = file.read()
    except OSError as refusal:
        print(f"CONTAINED: the canary stays out of reach, {errno.errorcode[refusal.errno]}")
        return
    same = text == FACTS["canary_text"]
    print("ESCAPED: read the canary" if same else "CONTAINED: that was not the canary")


class Opens:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path,)


read_canary(lambda path: pickle.loads(pickle.dumps(Opens(path))))
