# id: D04
# title: Swapping names while the output is collected leads nowhere
# expect: contained
# collect: present plain.txt 5
# collect: absent swapped
# collect: absent folder/hostname
# collect: absent folder/passwd
# guards: namespace.pid
# control: none, the collector works only when every process is dead

import json
import os
import sys
import time

FACTS = json.loads(sys.argv[1])
os.makedirs("out", exist_ok=True)
with open("out/plain.txt", "w") as file:
    file.write("plain")
os.mkfifo("out/swapped")
os.symlink(FACTS["canary_path"], "other")
os.mkdir("out/folder")
os.symlink("/etc", "etc")
print("CONTAINED: prepared", flush=True)
if os.fork() == 0:
    os.setsid()
    end = time.monotonic() + 3
    while time.monotonic() < end:
        for here, there in (("out/swapped", "other"), ("out/folder", "etc")):
            os.rename(here, "middle")
            os.rename(there, here)
            os.rename("middle", there)
    os._exit(0)
