# id: H01
# title: Silencing every audit hook wins nothing
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import ctypes
import errno
import gc
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


# Hooks set from Python are kept in a plain list of the interpreter: whoever finds it empties it.
seen = []


def hook(event, arguments):
    seen.append(event)


sys.addaudithook(hook)
for thing in gc.get_referrers(hook):
    if type(thing) is list:
        thing.clear()
seen.clear()
sys.audit("gambeson")
# And where the list was not found: a reader that no hook hears of.
libc = ctypes.CDLL(None, use_errno=True)
libc.fopen.restype = ctypes.c_void_p


def unheard(path):
    stream = libc.fopen(path.encode(), b"r")
    if not stream:
        raise OSError(ctypes.get_errno(), path)
    return open(libc.fileno(ctypes.c_void_p(stream)), closefd=False)


read_canary(unheard)
