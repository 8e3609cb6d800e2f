"""A thread's own notes about itself, overwritten: lists without an end, and what is no frame."""

import ctypes
import os
import random
import struct
import sys
import tempfile
import threading
import time

kind = sys.argv[1]
state_of = ctypes.pythonapi.PyThreadState_Get
state_of.restype = ctypes.c_void_p
SPAN = 1 << 9


def words(address, count=SPAN // 8):
    return (ctypes.c_uint64 * count).from_address(address)


def writable(word, spans):
    return word % 8 == 0 and any(start <= word < end - SPAN for start, end in spans)


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
state, own, spans = states[0], state_of(), mapped()
# What only the victim has: the interpreter's own are ours as well.
shared = set(words(own)) | {own, state}
pointers = [word for word in words(state) if word not in shared and writable(word, spans)]
random.seed(5)
places = [(state, SPAN // 8)]
if kind == "cycles":
    # Frames, states and chunks point to themselves.
    places = [(pointer, 8) for pointer in pointers]
    values = [pointer for pointer in pointers for _ in range(8)]
elif kind == "numbers":
    values = [random.getrandbits(64) for _ in range(SPAN // 8)]
elif kind == "pointers":
    values = [random.choice(pointers) + 8 * random.randrange(64) for _ in range(SPAN // 8)]
elif kind == "lengths":
    # Everything that its code names is as long as can be said.
    code = victim.__code__
    table = code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab
    texts = [code.co_filename, code.co_name, getattr(code, "co_qualname", code.co_name), table]
    places = [(id(each) + 16, 1) for each in texts]
    values = [(1 << 62) + 1 for _ in places]
elif kind == "names":
    # It says that it is where it is not, in a way that could move a terminal's cursor.
    source = "import os, threading\nprint('waits', threading.get_native_id(), flush=True)\nos.read(0, 1)"
    exec(compile(source, "/work/\x1b[2J\u202egnp.py\n" + "x" * 500 + "\ud800", "exec"))
# All of it in one call, for what is overwritten may be what the next one would need.
with tempfile.TemporaryFile() as file:
    file.write(struct.pack(f"{len(values)}Q", *values))
    file.flush()
    buffers = [words(*place) for place in places]
    os.write(1, b"waits %d\n" % threading.get_native_id())
    time.sleep(0.05)
    os.preadv(file.fileno(), buffers, 0)
    os.read(0, 1)
