# id: B03
# title: Writing to one's own memory past its protection gives nothing but one's own memory
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import ctypes
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


# /proc/self/mem ignores page protection: turn an immutable value of the interpreter around,
# then see whether anything outside has become readable.
victim = b"may not change"
address = id(victim) + bytes.__basicsize__ - 1
try:
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        memory.seek(address)
        memory.write(b"MAY")
except OSError:
    ctypes.memmove(address, b"MAY", 3)
assert victim.startswith(b"MAY")
read_canary()
