# id: D05
# title: Names that mean something elsewhere are only names
# expect: contained
# collect: present plain.txt 5
# guards: root
# control: none, the case is about the collector

import json
import os
import sys

FACTS = json.loads(sys.argv[1])
NAMES = [
    b"new\nline", b"carriage\rreturn", b"\xff\xfe", b"\xed\xa0\x80", "\u202egpj.exe".encode(), b"n" * 255, b"...", b"-rf",
    b"C:\\windows", b"a;b", b"$(id)", b"%2e%2e%2f", b" ", b"caf\xc3\xa9", b"cafe\xcc\x81", b"Case", b"case",
    b"\x1b[2J", b"CON", b"nul.txt", b"~", b"*", b"'\"", b"<script>", b".hidden", b"..\\..\\x",
]
os.makedirs("out", exist_ok=True)
with open("out/plain.txt", "w") as file:
    file.write("plain")
made = 0
for name in NAMES:
    with open(b"out/" + name, "wb") as file:
        file.write(b"x")
    made += 1
print(f"CONTAINED: prepared, {made} names")
