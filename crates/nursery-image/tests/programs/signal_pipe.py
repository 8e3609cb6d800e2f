import os, signal
for number in sorted(signal.valid_signals()):
    print(number, signal.getsignal(number))
print(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.sigpending(), signal.getitimer(signal.ITIMER_REAL))
r, w = os.pipe()
os.close(r)
try:
    os.write(w, b"x")
except BrokenPipeError as error:
    print(repr(error))
print([line for line in open("/proc/self/status") if line.startswith(("Sig", "Shd"))])
print(signal.set_wakeup_fd(-1))
