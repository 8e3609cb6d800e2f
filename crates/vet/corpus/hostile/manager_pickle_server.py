# label: hostile
# expect: V302 V701
# note: A multiprocessing manager with a known key on all interfaces unpickles what strangers send.
from multiprocessing.managers import BaseManager
from queue import Queue

q = Queue()


class Board(BaseManager):
    pass


Board.register("queue", callable=lambda: q)
Board(address=("0.0.0.0", 50000), authkey=b"abc").get_server().serve_forever()
