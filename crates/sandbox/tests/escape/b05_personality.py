# id: B05
# title: The personality cannot be changed to switch off the random layout
# expect: contained
# guards: seccomp
# control: seccomp => escaped

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


PERSONALITY, ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC = 135, 0x0040000, 0x0400000

answers = [syscall(PERSONALITY, flag) for flag in (ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC)]
past = [answer for result, answer in answers if result >= 0]
print("ESCAPED: the personality was changed" if past else f"CONTAINED: personality answered {answers[0][1]}")
