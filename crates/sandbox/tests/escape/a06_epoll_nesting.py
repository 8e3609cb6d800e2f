# id: A06
# title: Nested epoll descriptors are refused before they burden the kernel
# expect: contained
# guards: rlimits
# control: none, the kernel itself bounds the depth

import errno
import select

chain = [select.epoll()]
try:
    for _ in range(50):
        outer = select.epoll()
        outer.register(chain[-1].fileno(), select.EPOLLIN)
        chain.append(outer)
    print(f"ESCAPED: {len(chain)} levels of epoll")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode[refusal.errno]} at level {len(chain)}")
