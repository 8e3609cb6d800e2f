# label: benign
# expect: V005
# note: Text pasted from a web page brought zero-width spaces along inside of its strings; an accident that deserves a remark.
# copied from the wiki
HEADERS = ["name", "e​mail", "joined"]
ROWS = [
    ("Ada", "ada@example.org", 2019),
    ("Grace​", "grace@example.org", 2021),
]

print(" | ".join(HEADERS))
for r in ROWS:
    print(" | ".join(map(str, r)))
assert HEADERS.index("email") == 1, "why does this fail??"
