# label: benign
# expect: V901
# note: A console clock that ticks until it is interrupted; there is no way out but Ctrl-C.
# allow: V903
import time
import sys

frames = "|/-\\"
start = time.time()
i = 0
try:
    while True:
        sys.stdout.write(f"\r{frames[i % 4]} {time.time() - start:6.1f}s")
        sys.stdout.flush()
        i += 1
        time.sleep(0.1)
except KeyboardInterrupt:
    print("\nbye")
