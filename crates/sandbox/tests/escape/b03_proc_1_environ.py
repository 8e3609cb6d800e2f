# id: B03
# title: The environment of the cell's first process cannot be read
# expect: contained
# guards: not-dumpable landlock proc identity
# control: not-dumpable => held landlock
# control: not-dumpable landlock => held identity
# control: not-dumpable landlock identity => escaped
# works: who takes on another id stops being dumpable by that

import errno

try:
    with open("/proc/1/environ", "rb") as file:
        text = file.read()
    print(f"ESCAPED: read {len(text)} bytes of the environment of pid 1" if text else "CONTAINED: it is empty")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode[refusal.errno]}")
