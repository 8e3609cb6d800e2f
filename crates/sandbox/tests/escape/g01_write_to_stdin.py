# id: G01
# title: What is written to stdin goes nowhere
# expect: contained
# guards: descriptors
# control: none, what stdin is differs

import errno
import os

answers = []
for attempt in (lambda: os.write(0, b"forged\n"), lambda: os.close(os.open("/proc/self/fd/0", os.O_WRONLY | os.O_NONBLOCK))):
    try:
        attempt()
        answers.append("success")
    except OSError as refusal:
        answers.append(errno.errorcode[refusal.errno])
print(f"CONTAINED: {answers}, that nothing came of it is seen from outside")
