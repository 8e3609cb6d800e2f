"""Nested data to JSON text and back, in the styles that programs commonly ask for.

Measures the json module's encoder and decoder, and with them strings, dicts and lists.
"""

import json
import random
import zlib

CUSTOMERS = 300
ROUNDS = 72
STYLES = (
    {},
    {"separators": (",", ":")},
    {"ensure_ascii": False, "sort_keys": True},
)
WORDS = (
    "",
    "linen",
    "wool and thread",
    "déjà vu",
    "日本語",
    "🧵",
    'a "quoted" word',
    "back\\slash",
    "tab\tand\nline",
)
EXPECTED = "2e30159f"


class Source:
    """Made-up values. Only random() is promised to give the same in every version."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def below(self, limit):
        return int(self.random() * limit)

    def words(self, count):
        return " ".join(WORDS[self.below(len(WORDS))] for _ in range(count))

    def customer(self, number):
        return {
            "id": number,
            "name": self.words(2),
            "active": self.below(3) > 0,
            "referred_by": self.below(number) if number else None,
            "balance": (self.random() - 0.5) * 10.0 ** self.below(9),
            "fingerprint": self.below(2**53) ** 2,
            "orders": [self.order() for _ in range(self.below(5))],
            "folders": self.folder(depth=4),
        }

    def order(self):
        return {
            "lines": [
                {"item": self.words(1), "count": self.below(9), "price": self.below(9999) / 100}
                for _ in range(1 + self.below(4))
            ],
            "note": self.words(6) if self.below(2) else None,
            "shipped": bool(self.below(2)),
        }

    def folder(self, depth):
        children = [self.folder(depth - 1) for _ in range(self.below(3))] if depth else []
        return {
            "title": self.words(1),
            "sizes": [self.below(4096) for _ in range(4)],
            "children": children,
        }


def main():
    source = Source(seed=1)
    customers = [source.customer(number) for number in range(CUSTOMERS)]
    checksum = 0
    for _ in range(ROUNDS):
        for style in STYLES:
            text = json.dumps(customers, **style)
            # What is encoded next is what was decoded last, so that no loss goes unnoticed.
            decoded = json.loads(text)
            assert decoded == customers, "the round trip changed the data"
            customers = decoded
            checksum = zlib.crc32(text.encode(), checksum)

    checksum = f"{checksum:08x}"
    assert checksum == EXPECTED, checksum
    print(f"checksum {checksum}")


if __name__ == "__main__":
    main()
