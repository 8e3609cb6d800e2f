# id: G01
# title: The reading end of one's own output cannot be opened
# expect: contained
# guards: root proc
# control: none, what stdout is differs
# works: to open one's own pipe for reading would steal one's own output only

import errno
import os

answers = []
for number in (1, 2):
    try:
        with open(f"/proc/self/fd/{number}", "rb", buffering=0) as pipe:
            os.set_blocking(pipe.fileno(), False)
            answers.append(f"read {len(pipe.read(100) or b'')} bytes")
    except OSError as refusal:
        answers.append(errno.errorcode[refusal.errno])
print(f"CONTAINED: {answers}")
