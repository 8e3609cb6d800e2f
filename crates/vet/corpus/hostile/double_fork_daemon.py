# label: hostile
# expect: V203 V901
# note: Leaves the job by double fork and a new session to outlive its time limit.
# allow: V204
import os
import signal
import sys
import time

if os.fork():
    sys.exit(0)
os.setsid()
if os.fork():
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.close(0); os.close(1); os.close(2)
while True:
    time.sleep(60)
    sum(i * i for i in range(10**6))
