# id: H02
# title: select, poll, epoll and selectors work
# expect: contained
# guards: seccomp
# control: none, positive case

import os
import select
import selectors
import socket

reader, writer = os.pipe()
os.write(writer, b"x")
assert select.select([reader], [], [], 1)[0] == [reader]
poll = select.poll()
poll.register(reader, select.POLLIN)
assert poll.poll(1000)
with select.epoll() as epoll:
    epoll.register(reader, select.EPOLLIN | select.EPOLLET)
    assert epoll.poll(1)
left, right = socket.socketpair()
with selectors.DefaultSelector() as selector:
    selector.register(left, selectors.EVENT_READ)
    right.send(b"x")
    assert selector.select(1)
print("CONTAINED: works, four ways to wait")
