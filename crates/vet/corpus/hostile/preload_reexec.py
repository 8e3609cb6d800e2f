# label: hostile
# expect: V201 V401
# note: Sets LD_PRELOAD in its own environment and executes itself anew.
import os
import sys

if os.environ.get("STAGE") != "2":
    os.environ["STAGE"] = "2"
    os.environ["LD_PRELOAD"] = os.path.abspath("lib/speedup.so")
    os.execv(sys.executable, [sys.executable] + sys.argv)

print("stage two")
