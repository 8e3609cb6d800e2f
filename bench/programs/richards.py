"""A small operating system in simulation: processes, priorities, messages, a slow disk.

Measures method calls, attribute access and short-lived objects. It is in the spirit of
Martin Richards's benchmark but a model of its own, so numbers do not compare with that.

Clients ask a file server for blocks. The server answers from its cache or asks the disk,
which answers later. A logger of the lowest priority folds every answer into the checksum,
so that the checksum depends on the order in which everything happened.
"""

import heapq
import itertools
import zlib

CLIENTS = 6
REQUESTS_PER_CLIENT = 55_000
WINDOW = 4
BLOCKS = 512
HOT_BLOCKS = 64
CACHED_BLOCKS = 96
EXPECTED = "52dfd8c7"

PRIORITIES = LOW, NORMAL, URGENT = range(3)


class Message:
    def __init__(self, sender, block, data=None):
        self.sender = sender
        self.block = block
        self.data = data
        self.next = None


class Queue:
    """First in, first out: a chain of items, each of which carries its own `next`."""

    def __init__(self):
        self.head = None
        self.tail = None

    def is_empty(self):
        return self.head is None

    def push(self, item):
        item.next = None
        if self.is_empty():
            self.head = item
        else:
            self.tail.next = item
        self.tail = item

    def pop(self):
        item = self.head
        self.head = item.next
        return item


class Kernel:
    """Runs the most urgent process that has mail; moves the clock on when none has."""

    def __init__(self):
        self.clock = 0
        self.alarms = []
        self.alarm_numbers = itertools.count()
        self.ready = {priority: Queue() for priority in PRIORITIES}

    def send(self, receiver, message):
        if receiver.inbox.is_empty() and not receiver.is_running:
            self.make_ready(receiver)
        receiver.inbox.push(message)

    def send_later(self, delay, receiver, message):
        # The number breaks ties, so that heapq never has to compare two processes.
        alarm = (self.clock + delay, next(self.alarm_numbers), receiver, message)
        heapq.heappush(self.alarms, alarm)

    def make_ready(self, process):
        self.ready[process.priority].push(process)

    def most_urgent(self):
        for priority in reversed(PRIORITIES):
            queue = self.ready[priority]
            if not queue.is_empty():
                return queue.pop()
        return None

    def ring_next_alarm(self):
        self.clock, _, receiver, message = heapq.heappop(self.alarms)
        self.send(receiver, message)

    def run(self):
        while True:
            process = self.most_urgent()
            if process is not None:
                process.run(self)
            elif self.alarms:
                self.ring_next_alarm()
            else:
                return


class Process:
    priority = NORMAL

    def __init__(self):
        self.inbox = Queue()
        self.is_running = False
        self.next = None

    def run(self, kernel):
        """Handles one message, then goes to the end of the line if there is more mail."""
        self.is_running = True
        self.handle(kernel, self.inbox.pop())
        self.is_running = False
        if not self.inbox.is_empty():
            kernel.make_ready(self)

    def handle(self, kernel, message):
        raise NotImplementedError


class Client(Process):
    def __init__(self, number, server, logger):
        super().__init__()
        self.seed = number
        self.server = server
        self.logger = logger
        self.asked = 0
        self.answered = 0

    def start(self, kernel):
        for _ in range(WINDOW):
            self.ask(kernel)

    def ask(self, kernel):
        if self.asked < REQUESTS_PER_CLIENT:
            self.asked += 1
            kernel.send(self.server, Message(self, self.choose_block()))

    def choose_block(self):
        """Three times in four one of the few hot blocks, which the cache may hold."""
        self.seed = (self.seed * 1103515245 + 12345) % 2**31
        # The low bits of such a generator repeat soon; only the high ones are used.
        number = self.seed >> 12
        return number // 4 % (BLOCKS if number % 4 == 0 else HOT_BLOCKS)

    def handle(self, kernel, message):
        assert message.data == block_content(message.block), "a block came back changed"
        self.answered += 1
        kernel.send(self.logger, Message(self, message.block, message.data))
        self.ask(kernel)


class Server(Process):
    """Keeps the blocks used last; asks the disk once however many clients wait."""

    def __init__(self, disk):
        super().__init__()
        self.disk = disk
        self.cache = {}
        self.waiting = {}
        self.hits = 0
        self.misses = 0

    def handle(self, kernel, message):
        if message.sender is self.disk:
            self.remember(message.block, message.data)
            waiting = self.waiting.pop(message.block)
            while not waiting.is_empty():
                self.answer(kernel, waiting.pop(), message.data)
        elif message.block in self.cache:
            self.hits += 1
            data = self.cache.pop(message.block)
            self.remember(message.block, data)
            self.answer(kernel, message, data)
        else:
            self.misses += 1
            if message.block not in self.waiting:
                self.waiting[message.block] = Queue()
                kernel.send(self.disk, Message(self, message.block))
            self.waiting[message.block].push(message)

    def answer(self, kernel, request, data):
        kernel.send(request.sender, Message(self, request.block, data))

    def remember(self, block, data):
        self.cache[block] = data
        if len(self.cache) > CACHED_BLOCKS:
            oldest = next(iter(self.cache))
            del self.cache[oldest]


class Disk(Process):
    """Reads one block at a time; the farther away it is, the longer that takes."""

    priority = URGENT

    def __init__(self):
        super().__init__()
        self.position = 0
        self.reading = None
        self.requests = Queue()
        self.reads = 0

    def handle(self, kernel, message):
        if message is self.reading:
            self.reads += 1
            data = block_content(message.block)
            kernel.send(message.sender, Message(self, message.block, data))
            self.reading = None
        else:
            self.requests.push(message)
        if self.reading is None and not self.requests.is_empty():
            self.seek(kernel, self.requests.pop())

    def seek(self, kernel, request):
        distance = abs(request.block - self.position)
        self.position = request.block
        self.reading = request
        kernel.send_later(5 + distance, self, request)


class Logger(Process):
    priority = LOW

    def __init__(self):
        super().__init__()
        self.lines = 0
        self.checksum = 0

    def handle(self, kernel, message):
        self.lines += 1
        line = f"{kernel.clock} {message.sender.answered} {message.block} {message.data}\n"
        self.checksum = zlib.crc32(line.encode(), self.checksum)


def block_content(block):
    return block * 2654435761 % 2**32


def main():
    kernel = Kernel()
    disk = Disk()
    server = Server(disk)
    logger = Logger()
    clients = [Client(number, server, logger) for number in range(CLIENTS)]
    for client in clients:
        client.start(kernel)
    kernel.run()

    requests = CLIENTS * REQUESTS_PER_CLIENT
    assert all(client.answered == REQUESTS_PER_CLIENT for client in clients)
    assert server.hits + server.misses == requests
    assert 0 < disk.reads <= server.misses, (disk.reads, server.misses)
    assert logger.lines == requests
    assert not server.waiting, "a client was left waiting"

    checksum = f"{logger.checksum:08x}"
    assert checksum == EXPECTED, checksum
    print(f"checksum {checksum}")


if __name__ == "__main__":
    main()
