"""Patterns against a log: groups, alternatives, back-references, substitution, splitting.

Measures the re module's matcher. The log is generated from records, so every search knows
the answer that it must find.
"""

import random
import re
import zlib
from typing import NamedTuple

LINES = 2_500
ROUNDS = 35
HOSTS = ("web-1", "web-2", "db-1", "cache-17")
LEVELS = ("INFO", "info", "Warning", "ERROR", "error", "Fatal")
WORDS = ("the", "request", "was", "sent", "to", "a", "slow", "backend", "and", "then", "dropped")
NAMES = ("ada", "grace.h", "alan_t", "edsger+lists", "barbara")
DOMAINS = ("example.org", "mail.example.com", "example.co.uk")
EXPECTED = "2b1aa62c"

LINE = re.compile(
    r"""
    ^ (?P<stamp> \d{4}-\d{2}-\d{2} T \d{2}:\d{2}:\d{2} ) Z \s+
    (?P<host> [a-z]+-\d+ ) \s+
    \[ (?P<level> \w+ ) \] \s+
    (?P<address> \d{1,3} (?: \. \d{1,3} ){3} ) \s+
    "(?P<text> [^"\n]* )" \s+
    user=<(?P<mail> [^>\n]+ )> $
    """,
    re.MULTILINE | re.VERBOSE,
)
PROBLEM = re.compile(r"\[(?:error|fatal|warning)\]", re.IGNORECASE)
REPEATED = re.compile(r"\b(\w+) \1\b")
MAIL = re.compile(r"[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}")
PRIVATE = re.compile(r"(?<![\d.])10(?:\.\d{1,3}){3}(?![\d.])")
SLOW_THEN_DROPPED = re.compile(r'"[^"\n]*?\bslow\b.*?\bdropped\b[^"\n]*"')
SEPARATOR = re.compile(r"[\s\[\]\"<>=]+")


class Record(NamedTuple):
    stamp: str
    host: str
    level: str
    address: str
    text: str
    mail: str

    def line(self):
        stamp, host, level, address, text, mail = self
        return f'{stamp}Z {host} [{level}] {address} "{text}" user=<{mail}>'


def make_records(count):
    # Only random() is promised to give the same numbers in every version of Python.
    source = random.Random(1).random

    def choose(options):
        return options[int(source() * len(options))]

    for number in range(count):
        minutes, seconds = divmod(number, 60)
        hours, minutes = divmod(minutes, 60)
        yield Record(
            stamp=f"2031-{choose(range(1, 13)):02}-{choose(range(1, 29)):02}"
            f"T{hours:02}:{minutes:02}:{seconds:02}",
            host=choose(HOSTS),
            level=choose(LEVELS),
            address=".".join(str(choose(range(8, 16))) for _ in range(4)),
            text=" ".join(choose(WORDS) for _ in range(choose(range(4, 14)))),
            mail=f"{choose(NAMES)}@{choose(DOMAINS)}",
        )


def count_repeated(words):
    """Pairs of one word twice that do not overlap, as a pattern finds them."""
    count = place = 0
    while place + 1 < len(words):
        repeated = words[place] == words[place + 1]
        count += repeated
        place += 2 if repeated else 1
    return count


def slow_then_dropped(words):
    return "slow" in words and "dropped" in words[words.index("slow") :]


def search(log):
    """Every finding, each in a form that the records can give as well."""
    return {
        "records": [Record(**match.groupdict()) for match in LINE.finditer(log)],
        "problems": len(PROBLEM.findall(log)),
        "repeated": sum(1 for _ in REPEATED.finditer(log)),
        "private": PRIVATE.findall(log),
        "slow then dropped": len(SLOW_THEN_DROPPED.findall(log)),
        "mail hidden": MAIL.sub(lambda match: "*" * len(match[0]), log),
        "pieces": len(SEPARATOR.split(log)),
    }


def answer(records):
    """What `search` must find, without a pattern."""
    texts = [record.text.split() for record in records]
    return {
        "records": records,
        "problems": sum(record.level.lower() != "info" for record in records),
        "repeated": sum(map(count_repeated, texts)),
        "private": [r.address for r in records if r.address.startswith("10.")],
        "slow then dropped": sum(map(slow_then_dropped, texts)),
        "mail hidden": "\n".join(
            record._replace(mail="*" * len(record.mail)).line() for record in records
        ),
        # Each line ends in ">", which with the newline after it makes one separator.
        "pieces": sum(len(words) + 6 for words in texts) + 1,
    }


def main():
    records = list(make_records(LINES))
    log = "\n".join(record.line() for record in records)
    right = answer(records)
    checksum = 0
    for _ in range(ROUNDS):
        found = search(log)
        assert found == right, [name for name in right if found[name] != right[name]]
        checksum = zlib.crc32(repr(found).encode(), checksum)

    checksum = f"{checksum:08x}"
    assert checksum == EXPECTED, checksum
    print(f"checksum {checksum}")


if __name__ == "__main__":
    main()
