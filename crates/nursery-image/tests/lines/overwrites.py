"""A thread's own notes about itself, overwritten: lists without an end, and what is no frame."""

import ctypes
import os
import random
import sys
import threading
import time

kind = sys.argv[1]
state_of = ctypes.pythonapi.PyThreadState_Get
state_of.restype = ctypes.c_void_p
SPAN = 1 << 9


def words(address, count=SPAN // 8):
    return (ctypes.c_uint64 * count).from_address(address)


def mapped():
    with open("/proc/self/maps") as maps:
        spans = [line.split()[:2] for line in maps]
    return [tuple(int(end, 16) for end in span.split("-")) for span, rights in spans if rights.startswith("rw")]


def victim():
    states.append(state_of())
    told.set()
    os.read(0, 1)


# In one that waits for good: it never looks at them again.
states, told = [], threading.Event()
threading.Thread(target=victim, daemon=True).start()
told.wait()
time.sleep(0.05)
(state,) = states
own = state_of()
writable = mapped()
# What only the victim has: the interpreter's own are ours as well.
shared = set(words(own)) | {own, state}
pointers = [
    word
    for word in words(state)
    if word not in shared and word % 8 == 0 and any(start <= word < end - SPAN for start, end in writable)
]
random.seed(5)
if kind == "cycles":
    # Whatever it points to points to itself, and it as well: frames, states, chunks.
    for pointer in pointers:
        for at in range(16):
            words(pointer)[at] = pointer
elif kind == "numbers":
    for at in range(SPAN // 8):
        words(state)[at] = random.getrandbits(64)
elif kind == "pointers":
    for at in range(SPAN // 8):
        words(state)[at] = random.choice(pointers) + 8 * random.randrange(64)
elif kind == "lengths":
    # Everything that its code names is as long as can be said.
    code = victim.__code__
    for each in (code.co_filename, code.co_name, getattr(code, "co_qualname", code.co_name)):
        words(id(each))[2] = (1 << 62) + 1
    words(id(code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab))[2] = 1 << 62
elif kind == "names":
    # It says that it is where it is not, in a way that could move a terminal's cursor.
    name = "/work/\x1b[2J\u202egnp.py\n" + "x" * 500 + "\ud800"
    victim.__code__ = victim.__code__.replace(co_filename=name)
    exec(compile("import os, threading\ndef f():\n print('waits', threading.get_native_id(), flush=True)\n os.read(0, 1)\nf()", name, "exec"))
os.write(1, b"waits %d\n" % threading.get_native_id())
os.read(0, 1)
