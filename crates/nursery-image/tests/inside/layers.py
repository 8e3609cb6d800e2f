# Says what confines this process, as far as it can be seen or tried from inside: one line an item, its name first.
# The controls of the test drop layers, so that nothing here may fail as a whole.
import ctypes
import fcntl
import os
import resource
import socket
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)


def say(name, value):
    print(name, ascii(value), sep="\t")


def tried(name, act):
    try:
        say(name, act())
    except Exception as error:
        say(name, (type(error).__name__, getattr(error, "errno", None)))


def read(path):
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "surrogateescape")


def call(number, *args):
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args))
    return value if value != -1 else (-1, ctypes.get_errno())


# proc_pid_status(5); what is left out are amounts of memory and counts of switches.
for line in read("/proc/self/status").splitlines():
    key, _, value = line.partition(":")
    if not key.startswith(("Vm", "Rss", "Hugetlb")) and not key.endswith("ctxt_switches"):
        say("status " + key, value.split())
for line in read("/proc/1/status").splitlines() if os.access("/proc/1/status", os.R_OK) else []:
    say("init " + line.partition(":")[0], line.partition(":")[2].split()) if line.startswith(("Cap", "Sec", "NoNew")) else None

# proc_pid_mountinfo(5): ids become places in the list, device numbers go.
places = {}
own = read("/proc/self/uid_map").split()[1]
for at, line in enumerate(read("/proc/self/mountinfo").splitlines()):
    front, _, back = line.partition(" - ")
    number, parent, _, *rest = front.split()
    places[number] = at
    say(f"mount {at}", (places.get(parent, "outside"), rest, back.replace(own, "OWN")))

for name in ("cgroup", "limits", "oom_score_adj", "oom_score", "coredump_filter", "setgroups", "loginuid", "sessionid", "attr/current",
             "projid_map", "cmdline", "comm", "personality", "timerslack_ns", "wchan", "stack", "syscall", "sched", "cpuset"):
    tried("proc " + name, lambda: read("/proc/self/" + name) if name not in ("sched", "oom_score", "syscall", "wchan") else bool(read("/proc/self/" + name)))
for name in ("uid_map", "gid_map"):
    # Which id it stands for outside is each cell's own.
    tried("proc " + name, lambda: [(words[0], int(words[1]) >= 0x60000000, words[2]) for words in map(str.split, read("/proc/self/" + name).splitlines())])
tried("proc timens_offsets", lambda: [line.split()[0] for line in read("/proc/self/timens_offsets").splitlines()])
for path in ("/proc", "/proc/1", "/proc/self", "/proc/self/ns", "/proc/self/attr", "/proc/self/task", "/proc/self/fd", "/proc/1/fd", "/", "/dev", "/dev/shm", "/tmp",
             "/work", "/sys", "/etc", "/proc/sys", "/proc/self/net", "/run", "/var", "/root", "/home", "/usr/bin", "/usr/lib"):
    tried("list " + path, lambda: sorted(os.listdir(path)))
for name in ("exe", "cwd", "root"):
    tried("link " + name, lambda: os.readlink("/proc/self/" + name))

# Who and where.
for name in ("getresuid", "getresgid", "getgroups", "getpid", "getppid", "getpgrp", "uname", "cpu_count", "get_terminal_size"):
    tried(name, lambda: tuple(getattr(os, name)()) if name != "uname" else os.uname().nodename)
tried("getsid", lambda: os.getsid(0))
tried("umask", lambda: os.umask(0o22))
tried("affinity", lambda: os.sched_getaffinity(0))
tried("scheduler", lambda: (os.sched_getscheduler(0), os.sched_getparam(0).sched_priority, os.getpriority(os.PRIO_PROCESS, 0)))
tried("interfaces", socket.if_nameindex)
for name in sorted(name for name in dir(resource) if name.startswith("RLIMIT_")):
    tried("rlimit " + name, lambda: resource.getrlimit(getattr(resource, name)))
for number in (2, 3, 7, 11, 14, 21, 23, 25, 27, 30, 34, 37, 39, 42, 46, 52, 53, 55, 56, 63, 66, 69, 71):
    word = ctypes.create_string_buffer(64)
    tried(f"prctl {number}", lambda: (call(157, number, word, 0, 0, 0), word.raw[:8] if number in (2, 25, 37) else None))
for bit in range(0, 42):
    tried(f"bounding {bit}", lambda: call(157, 23, bit, 0, 0, 0))

# Descriptors.
for fd in range(0, 12):
    tried(f"fd {fd}", lambda: (os.readlink(f"/proc/self/fd/{fd}").split(":")[0], fcntl.fcntl(fd, fcntl.F_GETFD), fcntl.fcntl(fd, fcntl.F_GETFL),
                               sorted(line.split(":")[0] for line in read(f"/proc/self/fdinfo/{fd}").splitlines())))

# The auxiliary vector without its addresses.
vector = open("/proc/self/auxv", "rb").read()
ADDRESSES = {3, 7, 9, 15, 24, 25, 31, 33}
for kind, value in struct.iter_unpack("QQ", vector):
    say(f"auxv {kind}", "an address" if kind in ADDRESSES else value)
    if kind == 0:
        break
say("auxv size", len(vector))

# What Landlock, the tree and the file system refuse.
for path in ("/etc/passwd", "/etc/shadow", "/etc/hostname", "/root", "/proc/1/environ", "/proc/1/status", "/proc/1/root", "/proc/1/mem", "/proc/sys/kernel/core_pattern",
             "/proc/kallsyms", "/proc/meminfo", "/proc/cpuinfo", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/kmsg", "/dev/mem", "/dev/tty", "/dev/ptmx", "/work", "/tmp", "/dev/shm",
             "/proc/self/mem", "/proc/self/oom_score_adj", "/proc/self/setgroups", "/proc/self/uid_map", "/sys/kernel", sys.executable, os.__file__):
    for flags in ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_PATH", "O_DIRECTORY"):
        def act():
            os.close(os.open(path, getattr(os, flags)))
            return "opened"
        tried(f"open {path} {flags}", act)
for path in ("/x", "/work/x", "/tmp/x", "/dev/x", "/dev/shm/x", "/proc/x", "/usr/x", "/etc/x"):
    tried("create " + path, lambda: os.close(os.open(path, os.O_CREAT | os.O_WRONLY)))
    tried("mkdir " + path, lambda: os.mkdir(path + "d"))
    tried("fifo " + path, lambda: os.mkfifo(path + "f"))
    tried("device " + path, lambda: os.mknod(path + "n", 0o020666, os.makedev(1, 3)))
    tried("symlink " + path, lambda: os.symlink("/", path + "l"))
    def bind():
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path + "s")
        return "bound"
    tried("bind " + path, bind)
tried("link across", lambda: os.link("/work/x", "/tmp/y"))
tried("rename across", lambda: os.rename("/work/x", "/tmp/z"))
tried("truncate", lambda: os.truncate(sys.executable, 0))
tried("chmod", lambda: os.chmod(sys.executable, 0o777))
tried("chown", lambda: os.chown("/tmp/z", 0, 0))
tried("kill init", lambda: os.kill(1, 0))
tried("kill all", lambda: os.kill(-1, 0))
tried("setuid", lambda: os.setuid(0))
tried("setgroups", lambda: os.setgroups([0]))
tried("sethostname", lambda: socket.sethostname("x"))
tried("chroot", lambda: os.chroot("/tmp"))
tried("nice", lambda: os.nice(-1))
tried("raise files", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20)))
tried("raise core", lambda: resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20)))
tried("scheduler fifo", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))

# What seccomp refuses, and how: sockets of every family, and calls that can do no harm where they are allowed.
for family in range(0, 46):
    for kind in (1, 2, 3, 5):
        def act():
            os.close(socket.socket(family, kind).detach())
            return "made"
        tried(f"socket {family} {kind}", act)
CALLS = {
    "ptrace": (101, 0, 0, 0, 0), "syslog": (103, 10, 0, 0), "personality": (135, 0xFFFFFFFF), "pivot_root": (155, 0, 0), "acct": (163, 0), "mount": (165, 0, 0, 0, 0, 0),
    "umount2": (166, 0, 0), "swapon": (167, 0, 0), "reboot": (169, 0, 0, 0, 0), "sethostname": (170, 0, 0), "iopl": (172, 0), "ioperm": (173, 0, 0, 0),
    "init_module": (175, 0, 0, 0), "delete_module": (176, 0, 0), "quotactl": (179, 0, 0, 0, 0), "settimeofday": (164, 0, 0), "adjtimex": (159, 0), "lookup_dcookie": (212, 0, 0, 0),
    "io_setup": (206, 0, 0), "remap_file_pages": (216, 0, 0, 0, 0, 0), "mbind": (237, 0, 0, 0, 0, 0, 0), "kexec_load": (246, 0, 0, 0, 0), "add_key": (248, 0, 0, 0, 0, 0),
    "request_key": (249, 0, 0, 0, 0), "keyctl": (250, 0, 0, 0, 0, 0), "inotify_init": (253,), "migrate_pages": (256, 0, 0, 0, 0), "unshare none": (272, 0), "unshare user": (272, 0x10000000),
    "unshare mount": (272, 0x20000), "vmsplice": (278, -1, 0, 0, 0), "move_pages": (279, 0, 0, 0, 0, 0, 0), "perf_event_open": (298, 0, 0, -1, -1, 0), "fanotify_init": (300, 0, 0),
    "prlimit init": (302, 1, 7, 0, 0), "name_to_handle_at": (303, -1, 0, 0, 0, 0), "open_by_handle_at": (304, -1, 0, 0), "clock_adjtime": (305, 0, 0), "setns": (308, -1, 0),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0), "process_vm_writev": (311, 1, 0, 0, 0, 0, 0), "kcmp": (312, 1, 1, 0, 0, 0), "finit_module": (313, -1, 0, 0), "sched_setattr": (314, 0, 0, 0),
    "seccomp": (317, 2, 0, 0), "memfd_create": (319, ctypes.c_char_p(b"x"), 1), "bpf": (321, 0, 0, 0), "userfaultfd": (323, 0), "statx": (332, -1, 0, 0, 0, 0), "io_pgetevents": (333, 0, 0, 0, 0, 0, 0),
    "pidfd_send_signal": (424, -1, 0, 0, 0), "io_uring_setup": (425, 0, 0), "io_uring_enter": (426, -1, 0, 0, 0, 0, 0), "open_tree": (428, -1, 0, 0), "move_mount": (429, -1, 0, -1, 0, 0), "fsopen": (430, 0, 0),
    "fsmount": (432, -1, 0, 0), "pidfd_open init": (434, 1, 0), "clone3": (435, 0, 0), "pidfd_getfd": (438, -1, 0, 0), "process_madvise": (440, -1, 0, 0, 0, 0), "mount_setattr": (442, -1, 0, 0, 0, 0),
    "quotactl_fd": (443, -1, 0, 0, 0), "landlock_create": (444, 0, 0, 1), "landlock_restrict": (446, -1, 0), "memfd_secret": (447, 0), "process_mrelease": (448, -1, 0), "futex_waitv": (449, 0, 0, 0, 0, 0),
    "cachestat": (451, -1, 0, 0, 0), "map_shadow_stack": (453, 0, 0, 0), "statmount": (457, 0, 0, 0, 0), "listmount": (458, 0, 0, 0, 0), "lsm_list": (461, 0, 0, 0), "mseal": (462, 0, 0, 0), "arch_prctl": (158, 0x1003, 0),
    "modify_ldt": (154, 0, 0, 0), "uselib": (134, 0), "vhangup": (153,), "ioprio_get": (252, 1, 0), "shmget": (29, 0, 4096, 0o1600), "semget": (64, 0, 1, 0o1600), "msgget": (68, 0, 0o1600), "mq_open": (240, ctypes.c_char_p(b"x"), 0o102, 0o600, 0),
    "capset": (126, 0, 0), "prctl mm": (157, 35, 14, 0, 0, 0), "prctl dumpable": (157, 4, 1, 0, 0, 0), "prctl seccomp": (157, 22, 2, 0, 0, 0),
}
for name, (number, *args) in CALLS.items():
    tried("call " + name, lambda: (lambda value: value if isinstance(value, tuple) else value >= 0)(call(number, *args)))

# Whether it was alone while it looked.
tried("siblings", lambda: sorted(name for name in os.listdir("/proc") if name.isdigit()))
sys.stdout.write("ns\t" + " ".join(os.readlink("/proc/self/ns/" + name) for name in sorted(os.listdir("/proc/self/ns"))) + "\n")
sys.stdout.flush()
sys.stdin.read()
