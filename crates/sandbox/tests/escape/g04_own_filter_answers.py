# id: G04
# title: A filter of the program's own cannot answer in the place of ours
# expect: contained
# guards: seccomp
# control: seccomp => escaped
# works: without our filter the program's own asks its own thread, which lets the call go on

import ctypes
import errno
import fcntl
import os
import socket
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


SECCOMP, PRCTL, UNSHARE, NEWUSER = 317, 157, 272, 0x10000000
RECV, SEND, CONTINUE = 0xC0502100, 0xC0182101, 1

# Asks about unshare, lets all else pass.
program = b"".join(
    struct.pack("<HBBI", *one)
    for one in [(0x20, 0, 0, 0), (0x15, 0, 1, UNSHARE), (0x06, 0, 0, 0x7FC00000), (0x06, 0, 0, 0x7FFF0000)]
)
held = ctypes.create_string_buffer(program)
filter = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", 4, ctypes.addressof(held)))

child = os.fork()
if child == 0:
    # unshare of a user namespace wants a process of one thread: who answers is another process's.
    ours, theirs = socket.socketpair()
    grandchild = os.fork()
    if grandchild == 0:
        try:
            _, files, _, _ = socket.recv_fds(ours, 1, 1)
            question = bytearray(80)
            fcntl.ioctl(files[0], RECV, question)
            known = struct.unpack_from("<Q", question)[0]
            fcntl.ioctl(files[0], SEND, bytearray(struct.pack("<QqiI", known, 0, 0, CONTINUE)))
        finally:
            os._exit(0)
    syscall(PRCTL, 38, 1, 0, 0, 0)
    listener, refused = syscall(SECCOMP, 1, 1 << 3, filter)
    if listener < 0:
        # As it was known before there was seccomp(2).
        result, _ = syscall(PRCTL, 22, 2, filter, 0, 0)
        ours.close(), theirs.close()
    else:
        socket.send_fds(theirs, [b"x"], [listener])
        os.close(listener)
    os._exit(0 if syscall(UNSHARE, NEWUSER)[0] == 0 else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print("ESCAPED: the call went on" if status == 0 else "CONTAINED: neither a filter nor an answer")
