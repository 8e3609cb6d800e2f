# label: benign
# expect:
# note: A class named Thread for a weaving pattern, and a loop that makes many; textile, not concurrency.
from dataclasses import dataclass


@dataclass
class Thread:
    colour: str
    over: bool

    def start(self):
        return "#" if self.over else "."


class Fork:
    """Where the pattern divides."""

    def fork(self, rows):
        return rows[::2], rows[1::2]


rows = []
r = 0
while True:
    rows.append("".join(Thread("red", (r + c) % 3 == 0).start() for c in range(24)))
    r += 1
    if r == 12:
        break
print(*Fork().fork(rows)[0], sep="\n")
