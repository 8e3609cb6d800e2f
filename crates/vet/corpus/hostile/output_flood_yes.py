# label: hostile
# expect: V901 V903
# note: Floods the standard output through the raw descriptor and ignores the signals that would stop it.
import os
import signal

for s in (signal.SIGTERM, signal.SIGXCPU, signal.SIGPIPE, signal.SIGHUP):
    signal.signal(s, signal.SIG_IGN)

buf = b"y\n" * 32768
while os.write(1, buf):
    pass
