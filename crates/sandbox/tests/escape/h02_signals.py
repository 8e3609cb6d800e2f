# id: H02
# title: Signal handlers, timers and masks work
# expect: contained
# guards: seccomp
# control: none, positive case

import os
import signal
import time

seen = []
signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
os.kill(os.getpid(), signal.SIGUSR1)
signal.setitimer(signal.ITIMER_REAL, 0.01)
end = time.monotonic() + 2
while len(seen) < 2 and time.monotonic() < end:
    time.sleep(0.005)
assert seen == [signal.SIGUSR1, signal.SIGALRM]
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
os.kill(os.getpid(), signal.SIGUSR2)
assert signal.sigwait([signal.SIGUSR2]) == signal.SIGUSR2
print("CONTAINED: works, handler, timer and mask")
