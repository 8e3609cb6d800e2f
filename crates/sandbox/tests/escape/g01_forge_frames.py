# id: G01
# title: No descriptor takes a forged result
# expect: contained
# guards: descriptors
# control: descriptors => escaped
# works: the control needs a descriptor without CLOEXEC, open for writing, in the harness

import errno
import os

FRAME = b'{"outcome":"exited","code":0,"artifacts":[{"path":"/etc/passwd"}]}\n'
# The length before it, in both byte orders, as a framed protocol might want it.
frames = (FRAME, len(FRAME).to_bytes(4, "little") + FRAME, len(FRAME).to_bytes(4, "big") + FRAME)
taken, answers = [], set()
for number in range(3, 1024):
    for frame in frames:
        try:
            os.write(number, frame)
            taken.append(number)
        except OSError as refusal:
            answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: descriptors {sorted(set(taken))} took it" if taken else f"CONTAINED: {sorted(answers)}")
