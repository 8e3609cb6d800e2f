# id: F05
# title: Process numbers do not tell how busy the host is
# expect: contained
# guards: namespace.pid
# control: namespace.pid => escaped

import os

first = os.getpid()
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
print(f"ESCAPED: numbers {first} and {child} count the host's" if first > 64 else f"CONTAINED: numbers {first} and {child}")
