# id: C10
# title: There is no terminal into which characters could be pushed
# expect: contained
# guards: root seccomp
# control: none, the cell is given no terminal

import errno
import fcntl
import os

TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS, TIOCSCTTY = 0x5412, 0x541C, 0x5423, 0x541D, 0x540E
files = [0, 1, 2]
for name in ("/dev/tty", "/dev/console", "/dev/tty0", "/dev/pts/0"):
    try:
        files.append(os.open(name, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        pass
past, answers = [], set()
for file in files:
    for request in (TIOCSCTTY, TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS):
        try:
            fcntl.ioctl(file, request, b"\x02\0\0\0")
            past.append((file, hex(request)))
        except OSError as refusal:
            answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: {past}" if past else f"CONTAINED: {len(files)} files, {sorted(answers)}")
