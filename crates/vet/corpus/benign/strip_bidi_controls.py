# label: benign
# expect:
# note: Removes control characters from strangers' names; the characters themselves are written as escapes.
import re
import sys
import unicodedata

HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
CONFUSABLE = {"\u0430": "a", "\u0435": "e", "\u043e": "o", "\u0440": "p", "\u0441": "c"}


def clean(name):
    name = HIDDEN.sub("", unicodedata.normalize("NFKC", name))
    return "".join(CONFUSABLE.get(c, c) for c in name)


for line in sys.stdin:
    raw = line.rstrip("\n")
    out = clean(raw)
    print(out, "(changed)" if out != raw else "")
