# id: C10
# title: No descriptor is a terminal and none can be opened
# expect: contained
# guards: root
# control: none, the cell's own /dev stays when the root is dropped
# works: on a host the multiplexer /dev/ptmx can be opened by anybody

import errno
import os

terminals = [number for number in range(3) if os.isatty(number)]
try:
    os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    print("ESCAPED: a terminal was made")
except OSError as refusal:
    answer = errno.errorcode[refusal.errno]
    print(f"ESCAPED: descriptors {terminals} are terminals" if terminals else f"CONTAINED: {answer}")
