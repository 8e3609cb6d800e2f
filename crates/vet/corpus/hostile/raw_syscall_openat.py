# label: hostile
# expect: V102 V401 V402
# note: Opens /etc/shadow by the number of openat, past every hook that Python offers.
# allow: V101
from ctypes import CDLL, c_char_p, c_long, create_string_buffer

nr = {"openat": 257, "read": 0, "write": 1}
sc = CDLL("libc.so.6").syscall
sc.restype = c_long

fd = sc(nr["openat"], -100, c_char_p(b"/etc/shadow"), 0)
buf = create_string_buffer(4096)
n = sc(nr["read"], fd, buf, 4096)
sc(nr["write"], 1, buf, n)
