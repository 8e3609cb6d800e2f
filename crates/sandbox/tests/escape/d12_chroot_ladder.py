# id: D12
# title: The classic way out of a chroot is closed
# expect: contained
# guards: seccomp capabilities root identity
# control: seccomp => held capabilities
# control: seccomp capabilities => held identity

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


def out_of_chroot(path):
    os.makedirs("jail", exist_ok=True)
    start = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    os.chroot("jail")
    os.fchdir(start)
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
    return open(path)


read_canary(out_of_chroot)
