# label: hostile
# expect: V202 V901
# note: Sends stop and continue to itself in turn to confuse the accounting of time, and ignores what it can.
import os
import signal
import time

signal.signal(signal.SIGALRM, lambda *a: signal.alarm(1))
signal.signal(signal.SIGXCPU, lambda *a: None)
signal.alarm(1)
me = os.getpid()
while True:
    os.kill(me, signal.SIGCONT)
    t = time.process_time()
    while time.process_time() - t < 0.9:
        pass
    time.sleep(0.01)
