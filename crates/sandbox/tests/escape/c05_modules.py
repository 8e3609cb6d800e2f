# id: C05
# title: No kernel module can be loaded or removed
# expect: contained
# guards: seccomp capabilities namespace.user identity
# control: seccomp => held capabilities
# control: seccomp capabilities => held identity

import ctypes
import errno

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """Returns the result and the name of the errno."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return result, errno.errorcode.get(ctypes.get_errno(), "success")


def verdict(answers):
    """An answer that is not a refusal means that the kernel's code behind it was reached."""
    for call, (result, answer) in answers.items():
        if answer not in ("EPERM", "EACCES", "ENOSYS"):
            print(f"ESCAPED: {call} was reached, {answer}")
            return
    print("CONTAINED: " + ", ".join(f"{call} {answer}" for call, (_, answer) in answers.items()))


INIT_MODULE, FINIT_MODULE, DELETE_MODULE = 175, 313, 176

verdict({
    "init_module": syscall(INIT_MODULE, None, 0, b"\0"),
    "finit_module": syscall(FINIT_MODULE, -1, b"\0", 0),
    "delete_module": syscall(DELETE_MODULE, b"gambeson_no_such_module\0", 0x800),
})
