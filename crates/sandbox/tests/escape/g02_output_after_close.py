# id: G02
# title: A child that keeps stdout open does not keep the cell alive
# expect: contained
# limits: wall=5s
# guards: namespace.pid
# control: namespace.pid => escaped

import os
import time

print("CONTAINED: the child is left to its fate", flush=True)
if os.fork() == 0:
    time.sleep(2)
    print("ESCAPED: the child wrote after the end", flush=True)
os._exit(0)
