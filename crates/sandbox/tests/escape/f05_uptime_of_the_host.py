# id: F05
# title: The monotonic clock does not tell how long the host has been up
# expect: contained
# guards: namespace.time
# control: namespace.time => escaped

import json
import sys
import time

FACTS = json.loads(sys.argv[1])
host = FACTS["host_boot_monotonic"]
near = abs(time.monotonic() - host) < 120
raw = abs(time.clock_gettime(time.CLOCK_BOOTTIME) - host) < 120
print("ESCAPED: the clock is the host's" if near or raw else "CONTAINED: the cell's clock has an offset")
