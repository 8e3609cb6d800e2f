# id: H01
# title: Functions dug out of the garbage collector win nothing
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import errno
import gc
import json
import sys
import types

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


def by_gc(path):
    for thing in gc.get_objects():
        if isinstance(thing, dict) and isinstance(thing.get("open"), types.BuiltinFunctionType) and "O_CLOEXEC" not in thing:
            return thing["open"](path)
    raise FileNotFoundError(2, "no open function was found")


read_canary(by_gc)
