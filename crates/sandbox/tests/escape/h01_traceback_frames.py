# id: H01
# title: Builtins found through the frames of a traceback win nothing
# expect: contained
# guards: root landlock
# control: root => held landlock
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


def by_frames(path):
    try:
        raise KeyError
    except KeyError as error:
        frame = error.__traceback__.tb_frame
        while frame.f_back:
            frame = frame.f_back
        return frame.f_globals["__builtins__"].open(path)


read_canary(by_frames)
