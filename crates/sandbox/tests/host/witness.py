"""A process of the host that no cell may reach, and owner of what it shares with every program of the host.

It says what there is in one line of JSON. Then each line on its standard input asks whether all of it is as it was,
and an empty line says so. The end of its input is its own end, and that of everything that it made.
"""

import ctypes
import json
import os
import socket
import sys
import tempfile

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.shmat.restype = ctypes.c_void_p
LIBC.shmat.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
IPC_CREAT, IPC_EXCL, IPC_RMID = 0o1000, 0o2000, 0
CLONE_NEWNS, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 0x4000, 0x40000, 2

TEXT = "the canary sings\n"
NAME = f"gambeson-escape-{os.getpid()}"
KEY = 0x6A3B0000 | os.getpid() & 0xFFFF


def must(answer, what):
    if answer in (-1, ctypes.c_void_p(-1).value):
        sys.exit(f"{what}: {os.strerror(ctypes.get_errno())}")
    return answer


def listening(family, kind, address):
    made = socket.socket(family, kind)
    made.bind(address)
    if kind == socket.SOCK_STREAM:
        made.listen(100)
    return made


def show_queues(folder):
    """Only a mount lists them; it is made where nobody else sees it, and only root can."""
    if os.geteuid() == 0:
        must(LIBC.unshare(CLONE_NEWNS), "unshare")
        must(LIBC.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "make private")
        must(LIBC.mount(b"mqueue", folder.encode(), b"mqueue", 0, None), "mount mqueue")


def changes(folder, canary, names):
    found = []
    about = os.lstat(canary)
    with open(canary) as file:
        if file.read() != TEXT or (about.st_mode, about.st_nlink) != (0o100644, 1):
            found.append("the canary is changed")
    if sorted(os.listdir(folder)) != names:
        found.append(f"the canary's folder holds {os.listdir(folder)}")
    queues = [entry.name for entry in os.scandir(f"{folder}/queues") if entry.stat().st_uid != os.getuid()]
    if queues:
        found.append(f"message queues {queues} are left behind")
    return "; ".join(found)


# Everybody may: what keeps a cell away must not be the mode.
os.umask(0)
folder = tempfile.mkdtemp(prefix=NAME, dir="/var/tmp")
try:
    os.chmod(folder, 0o755)
    os.mkdir(f"{folder}/queues")
    show_queues(f"{folder}/queues")
    canary = f"{folder}/canary.txt"
    with open(os.open(canary, os.O_CREAT | os.O_WRONLY, 0o644), "w") as file:
        file.write(TEXT)
    port = listening(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
    sockets = [
        listening(socket.AF_UNIX, socket.SOCK_STREAM, f"{folder}/socket"),
        # Connections and datagrams are looked up apart, so that both can have the name.
        listening(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + NAME),
        listening(socket.AF_UNIX, socket.SOCK_DGRAM, "\0" + NAME),
    ]
    segment = must(LIBC.shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0o666), "shmget")
    ctypes.memmove(must(LIBC.shmat(segment, None, 0), "shmat"), TEXT.encode(), len(TEXT))
    must(LIBC.mq_open(f"/{NAME}".encode(), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666, None), "mq_open")
    names = sorted(os.listdir(folder))
    facts = {
        "canary_path": canary,
        "canary_text": TEXT,
        "host_pid": os.getpid(),
        "host_port": port.getsockname()[1],
        "abstract": NAME,
        "unix_path": f"{folder}/socket",
        "shm_key": KEY,
        "shm_text": TEXT,
        "mq_name": f"/{NAME}",
        "hostname": os.uname().nodename,
    }
    print(json.dumps(facts), flush=True)
    for _ in sys.stdin:
        print(changes(folder, canary, names), flush=True)
finally:
    LIBC.mq_unlink(f"/{NAME}".encode())
    LIBC.shmctl(LIBC.shmget(KEY, 0, 0), IPC_RMID, None)
    # One by one, never what is below: the queues of others are there, and going away with the mount is enough.
    LIBC.umount2(f"{folder}/queues".encode(), MNT_DETACH)
    for name in ("canary.txt", "socket"):
        os.unlink(f"{folder}/{name}")
    os.rmdir(f"{folder}/queues")
    os.rmdir(folder)
