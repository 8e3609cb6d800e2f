# id: E02
# title: Other spellings of the host's loopback do not reach it
# expect: contained
# guards: seccomp landlock namespace.net
# control: seccomp => held landlock
# control: seccomp landlock => held namespace.net
# control: seccomp landlock namespace.net => escaped

import errno
import json
import socket
import sys

FACTS = json.loads(sys.argv[1])
reached, answers = [], set()
for family, spelling in (
    (socket.AF_INET6, "::ffff:127.0.0.1"),
    (socket.AF_INET, "2130706433"),
    (socket.AF_INET, "0177.0.0.1"),
    (socket.AF_INET, "0x7f.1"),
    (socket.AF_INET, "0.0.0.0"),
    (socket.AF_INET, "127.9.9.9"),
):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(1)
            connection.connect((spelling, FACTS["host_port"]))
        reached.append(spelling)
    except OSError as refusal:
        answers.add(errno.errorcode.get(refusal.errno, "timeout"))
print(f"ESCAPED: reached {reached}" if reached else f"CONTAINED: {sorted(answers)}")
