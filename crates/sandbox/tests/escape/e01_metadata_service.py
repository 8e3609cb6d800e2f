# id: E01
# title: The metadata services of clouds cannot be reached
# expect: contained
# guards: seccomp namespace.net
# control: none, the control needs a host in such a cloud

import errno
import socket

reached, answers = [], set()
for family, address in (
    (socket.AF_INET, ("169.254.169.254", 80)),
    (socket.AF_INET, ("169.254.170.2", 80)),
    (socket.AF_INET, ("100.100.100.200", 80)),
    (socket.AF_INET6, ("fd00:ec2::254", 80)),
):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(0.5)
            connection.connect(address)
        reached.append(address[0])
    except OSError as refusal:
        answers.add(errno.errorcode.get(refusal.errno, "timeout"))
print(f"ESCAPED: reached {reached}" if reached else f"CONTAINED: {sorted(answers)}")
