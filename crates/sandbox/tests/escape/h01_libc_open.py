# id: H01
# title: The C library called directly wins nothing
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import ctypes
import errno
import json
import os
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


libc = ctypes.CDLL(None, use_errno=True)


def by_libc(path):
    file = libc.open(path.encode(), os.O_RDONLY)
    if file < 0:
        raise OSError(ctypes.get_errno(), path)
    return os.fdopen(file)


read_canary(by_libc)
