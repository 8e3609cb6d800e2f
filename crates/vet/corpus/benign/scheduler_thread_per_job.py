# label: benign
# expect: V203 V204 V901
# note: A scheduler starts a thread for every due job in an endless loop; sound while jobs are short.
import sched
import threading
import time

JOBS = [(2.0, "rotate", print), (5.0, "report", print)]
due = {name: 0.0 for _, name, _ in JOBS}

while True:
    now = time.monotonic()
    for every, name, fn in JOBS:
        if now >= due[name]:
            due[name] = now + every
            threading.Thread(target=fn, args=(name,), name=name).start()
    time.sleep(0.2)
