# id: A16
# title: Queued signals are bounded
# expect: contained
# limits: memory=64M wall=10s
# guards: rlimits cgroup.memory
# works: the control needs a host whose own bound is above five thousand
# control: rlimits => escaped

import ctypes
import errno
import os
import signal

libc = ctypes.CDLL(None, use_errno=True)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
count = 0
while count < 5_000 and libc.sigqueue(os.getpid(), int(signal.SIGRTMIN), None) == 0:
    count += 1
answer = errno.errorcode.get(ctypes.get_errno(), "success")
print(f"ESCAPED: {count} signals wait" if count == 5_000 else f"CONTAINED: {answer} at {count} signals", flush=True)
os._exit(0)
