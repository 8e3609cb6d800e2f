# id: A14
# title: A storm of fsync calls reaches no disk of the host
# expect: contained
# limits: wall=10s
# guards: scratch
# control: none, a host's own folders may live in memory as well

import os
import tempfile
import time

# The cell's files live in memory: a thousand synchronous writes are over at once.
with tempfile.TemporaryFile(dir=os.getcwd(), buffering=0) as file:
    start = time.monotonic()
    for _ in range(1000):
        file.write(b"x")
        os.fsync(file.fileno())
    spent = time.monotonic() - start
    device = os.fstat(file.fileno()).st_dev
# Anonymous devices, as those of a tmpfs, have major number 0.
print(f"ESCAPED: wrote to block device {device:#x}" if os.major(device) else f"CONTAINED: a thousand fsyncs in memory took {spent:.3f} s")
