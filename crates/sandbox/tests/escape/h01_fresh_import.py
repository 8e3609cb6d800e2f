# id: H01
# title: Modules imported afresh without the import machinery win nothing
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import errno
import importlib.util
import json
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


def by_fresh_module(path):
    sys.modules.pop("codecs")
    spec = importlib.util.find_spec("codecs")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.open(path, encoding="utf-8")


read_canary(by_fresh_module)
