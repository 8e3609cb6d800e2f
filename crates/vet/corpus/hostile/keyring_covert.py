# label: hostile
# expect: V401 V402
# note: Leaves a message for another job in the kernel's keyring, a place that namespaces do not separate.
import ctypes
import sys

ADD_KEY, KEYCTL = 248, 250
KEY_SPEC_USER_KEYRING = -4
c = ctypes.CDLL("libc.so.6")


def put(name: bytes, value: bytes):
    return c.syscall(ADD_KEY, b"user", name, value, len(value), KEY_SPEC_USER_KEYRING)


def get(serial):
    buf = ctypes.create_string_buffer(256)
    n = c.syscall(KEYCTL, 11, serial, buf, 256)
    return buf.raw[:n]


key = put(b"lunch", sys.argv[1].encode() if len(sys.argv) > 1 else b"meet at 12")
print(get(key))
