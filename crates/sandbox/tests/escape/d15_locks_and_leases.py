# id: D15
# title: Locks and leases on outputs do not block the collector
# expect: contained
# collect: present locked.txt 6
# collect: present leased.txt 6
# guards: namespace.pid
# control: none, the case is about the collector

import fcntl
import os
import signal

os.makedirs("out", exist_ok=True)
for name in ("locked", "leased"):
    with open(f"out/{name}.txt", "w") as file:
        file.write(name)
print("CONTAINED: prepared", flush=True)
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    locked = open("out/locked.txt", "r+")
    fcntl.flock(locked, fcntl.LOCK_EX)
    fcntl.lockf(locked, fcntl.LOCK_EX)
    leased = open("out/leased.txt")
    try:
        fcntl.fcntl(leased, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    finally:
        signal.pause()
