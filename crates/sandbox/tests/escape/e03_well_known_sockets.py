# id: E03
# title: The sockets of the host's services are not visible
# expect: contained
# guards: root
# control: none, which services a host has differs

import errno
import os
import socket

NAMES = """/run/docker.sock /var/run/docker.sock /run/containerd/containerd.sock /run/podman/podman.sock /run/dbus/system_bus_socket
/run/systemd/private /run/systemd/journal/socket /run/systemd/notify /var/run/nscd/socket /dev/log /run/udev/control
/tmp/.X11-unix/X0 /run/postgresql/.s.PGSQL.5432 /run/snapd.socket /run/gambeson.sock""".split()
found, answers = [], set()
for name in NAMES:
    try:
        os.stat(name)
        found.append(name)
        socket.socket(socket.AF_UNIX).connect(name)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: {found}" if found else f"CONTAINED: {sorted(answers)}")
