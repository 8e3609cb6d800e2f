# id: C12
# title: The kernel's random generator cannot be steered
# expect: contained
# guards: capabilities namespace.user identity
# control: capabilities => held identity

import errno
import fcntl
import os

RNDADDTOENTCNT, RNDRESEEDCRNG = 0x40045201, 0x5207
past, answers = [], set()
for name in ("/dev/urandom", "/dev/random"):
    file = os.open(name, os.O_RDONLY)
    for request in (RNDADDTOENTCNT, RNDRESEEDCRNG):
        try:
            fcntl.ioctl(file, request, b"\0\0\0\0")
            past.append((name, hex(request)))
        except OSError as refusal:
            answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: {past}" if past else f"CONTAINED: ioctl answered {sorted(answers)}")
