# id: H01
# title: A code object put together by hand wins nothing
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import errno
import json
import marshal
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


# The names of a harmless function are replaced, then it goes through bytes and back.
def harmless(path):
    return abs(path)


code = harmless.__code__.replace(co_names=("open",))
crafted = types.FunctionType(marshal.loads(marshal.dumps(code)), {"__builtins__": __builtins__})
read_canary(crafted)
