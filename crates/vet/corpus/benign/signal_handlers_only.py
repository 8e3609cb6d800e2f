# label: benign
# expect:
# note: Handles SIGINT and sets an alarm for itself; it receives signals and sends none.
import signal
import time


class Deadline(Exception):
    pass


def on_alarm(signum, frame):
    raise Deadline


def on_int(signum, frame):
    print("interrupted, finishing this round")


signal.signal(signal.SIGALRM, on_alarm)
signal.signal(signal.SIGINT, on_int)
signal.setitimer(signal.ITIMER_REAL, 0.5)
n = 0
try:
    for n in range(10**9):
        n * n
except Deadline:
    print("reached", n)
finally:
    signal.setitimer(signal.ITIMER_REAL, 0)
    time.sleep(0)
