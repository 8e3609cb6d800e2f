# id: H01
# title: A function pointer overwritten in memory wins nothing
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import _io
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


# In the C structure of a built-in function the method definition follows the object's header:
# `abs` is made into `open`.
word = ctypes.sizeof(ctypes.c_void_p)
HEADER = object.__basicsize__


class Victim(ctypes.Structure):
    _fields_ = [("definition", ctypes.c_void_p), ("self", ctypes.c_void_p), ("module", ctypes.c_void_p)]


target = Victim.from_address(id(abs) + HEADER)
source = Victim.from_address(id(_io.open) + HEADER)
target.definition, target.self = source.definition, source.self
# The calling convention lies behind: vectorcall is the last word of the structure.
vector = ctypes.c_void_p.from_address(id(abs) + HEADER + 4 * word)
vector.value = ctypes.c_void_p.from_address(id(_io.open) + HEADER + 4 * word).value
read_canary(abs)
