# id: E03
# title: Datagrams without a connection do not reach the host's sockets
# expect: contained
# guards: namespace.net root landlock
# control: namespace.net => held landlock
# control: namespace.net landlock => escaped
# works: a stream socket answers datagrams with EPROTOTYPE, which shows that it was found

import errno
import json
import socket
import sys

FACTS = json.loads(sys.argv[1])
found, answers = [], set()
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for address in ("\0" + FACTS["abstract"], FACTS["unix_path"]):
    for send in (lambda: sender.sendto(b"x", address), lambda: sender.sendmsg([b"x"], [], 0, address)):
        try:
            send()
            found.append("sent")
        except OSError as refusal:
            name = errno.errorcode[refusal.errno]
            found.append(name) if name == "EPROTOTYPE" else answers.add(name)
print(f"ESCAPED: {found}" if found else f"CONTAINED: {sorted(answers)}")
