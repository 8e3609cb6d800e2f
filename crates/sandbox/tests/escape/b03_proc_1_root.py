# id: B03
# title: /proc/1/root does not lead to the host
# expect: contained
# guards: root namespace.pid proc landlock
# control: root landlock => escaped

import errno
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


def through_pid_1(path):
    try:
        return open("/proc/1/root" + path)
    except OSError:
        return open("/proc/self/root" + path)


read_canary(through_pid_1)
