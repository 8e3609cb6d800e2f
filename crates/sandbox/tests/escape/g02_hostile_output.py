# id: G02
# title: Control characters, broken text and fake log lines are only bytes
# expect: contained
# guards: output.bound
# control: none, the case is about the reader of the output

import os

os.write(1, bytes(range(256)) * 2)
os.write(2, bytes(range(255, -1, -1)) * 2)
for hostile in (
    b"\x1b]0;title\x07\x1b[2J\x1b[31m\x1b[8m",
    b"\xef\xbb\xbf\xfe\xff\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf",
    b"\r\n2026-01-01T00:00:00Z ERROR gambeson: the sandbox is broken\r\n",
    b"</pre><script>alert(1)</script>${jndi:ldap://x}%n%n%s",
    "\u202e\u2066 reversed \u2069\u0000".encode(),
    b"\n" * 50,
):
    os.write(1, hostile)
    os.write(2, hostile)
os.write(1, b"\nCONTAINED: these were bytes only\n")
