# id: D12
# title: No inherited folder leads out of the root
# expect: contained
# guards: descriptors landlock
# control: none, it depends on what is inherited; d12_inherited_descriptors has the control
# works: the shape of CVE-2024-21626

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


def through_descriptors(path):
    last = FileNotFoundError(2, "no folder is inherited")
    for number in range(1024):
        for start in (f"/proc/self/fd/{number}", None):
            try:
                if start:
                    return open(f"{start}/" + "../" * 40 + path.lstrip("/"))
                os.fchdir(number)
                return open("../" * 40 + path.lstrip("/"))
            except OSError as refusal:
                last = refusal
    raise last


read_canary(through_descriptors)
