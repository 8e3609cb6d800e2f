# id: C02
# title: perf_event_open is refused
# expect: contained
# guards: seccomp
# control: seccomp => escaped
# works: the control needs a host with kernel.perf_event_paranoid of at most 2

import ctypes
import errno
import struct

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


PERF_EVENT_OPEN, SOFTWARE, TASK_CLOCK = 298, 1, 1

# type, size, config, period, sample_type, read_format, flags: exclude_kernel and exclude_hv.
attributes = struct.pack("IIQQQQQ", SOFTWARE, 112, TASK_CLOCK, 0, 0, 0, 0b1100000).ljust(112, b"\0")
verdict({"perf_event_open": syscall(PERF_EVENT_OPEN, attributes, 0, -1, -1, 0)})
