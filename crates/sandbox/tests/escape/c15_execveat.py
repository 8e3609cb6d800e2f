# id: C15
# title: execveat of a file in memory is confined like any other
# expect: contained
# guards: root landlock seccomp
# control: root => held landlock
# control: seccomp root landlock => escaped

import ctypes
import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


EXECVEAT, AT_EMPTY_PATH = 322, 0x1000

program = os.memfd_create("interpreter", 0)
with open(os.path.realpath(sys.executable), "rb") as file:
    while block := file.read(1 << 20):
        os.write(program, block)
code = f"import os; os._exit(42 if open({FACTS['canary_path']!r}).read() == {FACTS['canary_text']!r} else 1)"
arguments = (ctypes.c_char_p * 6)(b"python", b"-I", b"-S", b"-c", code.encode(), None)
environment = (ctypes.c_char_p * 2)(b"PYTHONHOME=" + sys.prefix.encode(), None)
child = os.fork()
if child == 0:
    os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
    syscall(EXECVEAT, program, b"\0", arguments, environment, AT_EMPTY_PATH)
    os._exit(2)
_, status = os.waitpid(child, 0)
code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
print("ESCAPED: read the canary" if code == 42 else f"CONTAINED: the child ended with {code}")
