# id: D06
# title: Dots in a path do not lead above the root
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

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


def upwards(path):
    for prefix in ("../" * 64, "/work/" + "../" * 64, "/proc/self/cwd/" + "../" * 64, "/dev/fd/../" + "../" * 64):
        try:
            return open(prefix + path.lstrip("/"))
        except OSError as refusal:
            last = refusal
    raise last


read_canary(upwards)
